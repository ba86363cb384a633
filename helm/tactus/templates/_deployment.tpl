{{/* A Deployment of one role; takes root, role, values and a list of ports. */}}
{{- define "tactus.deployment" -}}
{{- $root := .root -}}
{{- $values := .values -}}
{{- $isRouter := eq .role "router" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "tactus.fullname" $root }}-{{ .role }}
  labels:
    {{- include "tactus.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ .role }}
spec:
  {{- if not $values.autoscaling.enabled }}
  replicas: {{ $values.replicas }}
  {{- end }}
  minReadySeconds: 5
  revisionHistoryLimit: 5
  strategy:
    type: RollingUpdate
    rollingUpdate:
      maxUnavailable: 0
      maxSurge: 1
  selector:
    matchLabels:
      {{- include "tactus.selector" $root | nindent 6 }}
      app.kubernetes.io/component: {{ .role }}
  template:
    metadata:
      annotations:
        checksum/config: {{ include "tactus.config" $root | sha256sum }}
        {{- with $values.podAnnotations }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      labels:
        {{- with $values.podLabels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
        {{- include "tactus.labels" $root | nindent 8 }}
        app.kubernetes.io/component: {{ .role }}
    spec:
      serviceAccountName: {{ include "tactus.serviceAccount" $root }}
      automountServiceAccountToken: false
      enableServiceLinks: false
      terminationGracePeriodSeconds: {{ $values.terminationGracePeriodSeconds }}
      securityContext:
        {{- toYaml $root.Values.podSecurityContext | nindent 8 }}
      {{- with $root.Values.imagePullSecrets }}
      imagePullSecrets:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $values.priorityClassName }}
      priorityClassName: {{ . }}
      {{- end }}
      containers:
        - name: {{ .role }}
          image: {{ include "tactus.image" $root }}
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          args: [services/{{ .role }}/src/main.ts, --config, /etc/tactus/tactus.yaml]
          securityContext:
            {{- toYaml $root.Values.securityContext | nindent 12 }}
          env:
            {{- include "tactus.secretEnv" (dict "variable" "TACTUS_BUS__URL" "from" $root.Values.secrets.bus) | nindent 12 }}
            {{- include "tactus.secretEnv" (dict "variable" "TACTUS_CLUSTER__SECRET" "from" $root.Values.secrets.cluster) | nindent 12 }}
            {{- if $isRouter }}
            {{- include "tactus.secretEnv" (dict "variable" "TACTUS_STORAGE__URL" "from" $root.Values.secrets.storage) | nindent 12 }}
            {{- end }}
            {{- with $values.extraEnv }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
          ports:
            {{- range .ports }}
            - name: {{ .name }}
              containerPort: {{ .port }}
            {{- end }}
          # A connection manager waits for the first router, and a router for its turn to make the bus.
          startupProbe:
            httpGet: { path: /healthz/startup, port: metrics }
            periodSeconds: 2
            timeoutSeconds: 3
            failureThreshold: 150
          livenessProbe:
            httpGet: { path: /healthz/live, port: metrics }
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 6
          readinessProbe:
            httpGet: { path: /healthz/ready, port: metrics }
            periodSeconds: 3
            timeoutSeconds: 3
            failureThreshold: 2
          {{- with $values.propagationSeconds }}
          # SIGTERM closes the listeners at once; load balancers hear of the end a little later.
          lifecycle:
            preStop:
              exec: { command: [sleep, {{ . | quote }}] }
          {{- end }}
          resources:
            {{- toYaml $values.resources | nindent 12 }}
          volumeMounts:
            - { name: config, mountPath: /etc/tactus, readOnly: true }
            {{- if and (not $isRouter) $root.Values.certificates }}
            - { name: certificates, mountPath: /certificates, readOnly: true }
            {{- end }}
            - { name: tmp, mountPath: /tmp }
      volumes:
        {{- if and (not $isRouter) $root.Values.certificates }}
        - name: certificates
          projected:
            defaultMode: 0440
            sources:
              {{- range $root.Values.certificates }}
              - secret:
                  name: {{ . }}
                  items:
                    - { key: tls.crt, path: {{ . }}.crt }
                    - { key: tls.key, path: {{ . }}.key }
              {{- end }}
        {{- end }}
        - name: config
          configMap: { name: {{ include "tactus.fullname" $root }} }
        - name: tmp
          emptyDir: { sizeLimit: 64Mi }
      topologySpreadConstraints:
        {{- if $values.topologySpreadConstraints }}
        {{- toYaml $values.topologySpreadConstraints | nindent 8 }}
        {{- else }}
        {{- include "tactus.topologySpread" . | trim | nindent 8 }}
        {{- end }}
      {{- with $values.nodeSelector }}
      nodeSelector:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $values.affinity }}
      affinity:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $values.tolerations }}
      tolerations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
{{- end -}}
