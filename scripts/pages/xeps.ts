import {
  boshSpecifications,
  componentSpecifications,
  remoteSpecifications,
} from '@tactus/connection-manager'
import { catalogue, relayed } from '@tactus/modules'
import { code, generatedNotice, table } from './markdown.ts'

const introduction = `# Specifications

What the modules implement, and what streams with other servers (federation), with components and over HTTP (bosh) do, in the version
that was read. RFC 6120, 6121, 6122 and 7622 are the core's own.
`

const between = `
## Between clients

Nothing for a server to do but to pass it on unchanged, which is tested.
`

/** Every XEP with the module that implements it, by number. */
export function xepsPage(): string {
  const component = { name: 'components', implements: componentSpecifications }
  const bosh = { name: 'bosh', implements: boshSpecifications }
  const remote = { name: 'federation', implements: remoteSpecifications }
  const rows = [...catalogue, remote, component, bosh]
    .flatMap(({ name, implements: specifications }) =>
      specifications.map((specification) => ({ name, ...specification })),
    )
    .sort((left, right) => left.xep.localeCompare(right.xep))
    .map(({ name, xep, version, status, note }) => [
      link(xep),
      version,
      status,
      code(name),
      note ?? '',
    ])
  const passed = relayed.map(({ xep, version, note }) => [link(xep), version, note ?? ''])
  const head = ['specification', 'version', 'status', 'module', 'left out']
  const tables = [
    table(head, rows),
    between,
    table(['specification', 'version', 'what becomes of it'], passed),
  ]
  return [generatedNotice, introduction, ...tables].join('\n')
}

function link(xep: string): string {
  return `[XEP-${xep}](https://xmpp.org/extensions/xep-${xep}.html)`
}
