import { describeConfig, renderJsonSchema, withModules } from '@tactus/config'
import { moduleSchemas } from '@tactus/router'
import { code, generatedNotice, table } from './markdown.ts'

const introduction = `# Configuration

One file, \`tactus.yaml\`; every key may be left out. A flag stands above the environment, the
environment above the file, and the file above the defaults given here. An unknown key is an error.

* Environment: the variable of the table. Lists are separated by commas, sections written as YAML
  (\`TACTUS_HOSTS='{example.org: {}}'\`). With \`_FILE\` behind its name a variable names a file that
  holds the value.
* In the file, \`\${env:NAME}\` and \`\${file:/path}\` stand for a variable and for what a file holds;
  \`$\${\` stands for \`\${\` itself.
* A relative path in the file is relative to the file's folder.
* Durations: \`500ms\`, \`30s\`, \`10m\`, \`1h30m\`, \`7d\`. Sizes: \`262144\`, \`256KiB\`, \`10MB\`.
* Addresses: \`5222\` (every address of the machine), \`127.0.0.1:5222\`, \`[::1]:5222\`, a list of them,
  or \`off\`.
* Editors check and complete the file with \`config.schema.json\` beside this page.
`

const schema = withModules(moduleSchemas())

/** The configuration reference, one section for each top-level key. */
export function configPage(): string {
  const keys = describeConfig(schema)
  const sections = [...new Set(keys.map(({ path }) => path.split('.', 1)[0] ?? ''))]
  const parts = sections.map((section) => {
    const rows = keys
      .filter(({ path }) => path === section || path.startsWith(`${section}.`))
      .map(({ path, type, fallback, variable, description }) => [
        code(path),
        description,
        type,
        code(fallback),
        code(variable),
      ])
    return `## ${section}\n\n${table(['key', 'meaning', 'value', 'default', 'environment'], rows)}`
  })
  return [generatedNotice, introduction, ...parts].join('\n')
}

/** The JSON schema of tactus.yaml. */
export const configSchemaFile = (): string =>
  `${JSON.stringify(renderJsonSchema(schema), null, 2)}\n`
