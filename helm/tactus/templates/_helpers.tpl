{{- define "tactus.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "tactus.fullname" -}}
{{- $name := include "tactus.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* What never changes: selectors cannot. */}}
{{- define "tactus.selector" -}}
app.kubernetes.io/name: {{ include "tactus.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "tactus.labels" -}}
{{ include "tactus.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: {{ include "tactus.name" . }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "tactus.image" -}}
{{ printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end -}}

{{- define "tactus.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "tactus.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* tactus.yaml: what the values say, and what only the chart can know. */}}
{{- define "tactus.config" -}}
{{- $listen := dict "c2s" 5222 "c2sTls" 5223 "s2s" 5269 "http" 5280 "https" "off" "metrics" 9090 "component" "off" -}}
{{- $own := dict "listen" $listen "tls" (dict "certificates" "/certificates") -}}
{{- $defaults := dict "log" (dict "format" "json") -}}
{{- toYaml (mergeOverwrite $defaults (deepCopy .Values.config) $own) -}}
{{- end -}}

{{- define "tactus.secretEnv" -}}
- name: {{ .variable }}
  valueFrom:
    secretKeyRef:
      name: {{ .from.name }}
      key: {{ .from.key }}
{{- end -}}

{{- define "tactus.topologySpread" -}}
{{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
- maxSkew: 1
  topologyKey: {{ . }}
  whenUnsatisfiable: ScheduleAnyway
  labelSelector:
    matchLabels:
      {{- include "tactus.selector" $.root | nindent 6 }}
      app.kubernetes.io/component: {{ $.role }}
  matchLabelKeys: [pod-template-hash]
{{- end }}
{{- end -}}
