import { dashboardFile } from './chart/dashboard.ts'
import { valuesSchemaFile } from './chart/values-schema.ts'
import { archivePage } from './pages/archive.ts'
import { commandsPage } from './pages/commands.ts'
import { configPage, configSchemaFile } from './pages/config.ts'
import { hooksPage } from './pages/hooks.ts'
import { metricsPage } from './pages/metrics.ts'
import { xepsPage } from './pages/xeps.ts'

/** A file that is written from what the code declares. */
export interface Generator {
  readonly file: string
  /** From the root of the repository; docs/generated, where nothing else may be, by default. */
  readonly folder?: string
  readonly render: () => string | Promise<string>
}

/** Every generated file; a new one is a new line here. */
export const generators: readonly Generator[] = [
  { file: 'archive.md', render: archivePage },
  { file: 'commands.md', render: commandsPage },
  { file: 'config.md', render: configPage },
  { file: 'config.schema.json', render: configSchemaFile },
  { file: 'hooks.md', render: hooksPage },
  { file: 'metrics.md', render: metricsPage },
  { file: 'xeps.md', render: xepsPage },
  { folder: 'helm/tactus', file: 'values.schema.json', render: valuesSchemaFile },
  { folder: 'helm/tactus/dashboards', file: 'overview.json', render: dashboardFile },
]
