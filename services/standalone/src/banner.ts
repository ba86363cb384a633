import { styleText } from 'node:util'
import type { Config } from '@tactus/config'
import type { FirstAdmin } from './first-admin.ts'

/** What the server says when it serves. */
export interface Greeting {
  readonly version: string
  readonly config: Config
  readonly ports: Readonly<Record<string, readonly number[]>>
  readonly dataFolder: string
  readonly admin: FirstAdmin | undefined
}

/** One line for programs. */
export function readyLine({ version, ports, config, admin }: Greeting): string {
  return JSON.stringify({
    event: 'ready',
    version,
    hosts: Object.keys(config.hosts),
    ports,
    ...(admin && { admin }),
  })
}

/** The same for people: where to connect, who is the administrator, what to do next. */
export function banner({ version, ports, config, dataFolder, admin }: Greeting): string {
  const bold = (text: string): string => styleText('bold', text)
  const metrics = ports.metrics?.[0]
  const [host = 'localhost'] = Object.keys(config.hosts)
  const lines = [
    '',
    `  ${bold(`Tactus ${version}`)} serves ${bold(Object.keys(config.hosts).join(', '))}`,
    '',
    `  clients      ${list(ports.c2s)} (STARTTLS), ${list(ports.c2sTls)} (direct TLS)`,
    `  servers      ${list(ports.s2s)} (STARTTLS), ${list(ports.s2sTls)} (direct TLS)`,
    `  components   ${list(ports.component)}`,
    `  web          ${list(ports.http)} (HTTP), ${list(ports.https)} (HTTPS)`,
    `  metrics      ${metrics ? `http://127.0.0.1:${metrics}/metrics` : 'off'}`,
    `  data         ${dataFolder}`,
  ]
  if (admin)
    lines.push(
      '',
      `  ${bold('Administrator')}, shown only this once:`,
      `    ${admin.jid}`,
      `    ${admin.password}`,
    )
  lines.push(
    '',
    '  Next, in another terminal:',
    `    npx tactusctl user add juliet@${host} --password …     make an account`,
    `    npx tactusctl session list                         see who is connected`,
    '  Ctrl-C stops the server.',
    '',
  )
  return lines.join('\n')
}

function list(ports: readonly number[] | undefined): string {
  return ports && ports.length > 0 ? ports.join(', ') : 'off'
}
