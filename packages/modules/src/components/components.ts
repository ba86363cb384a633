import { defineModule, type XmppModule } from '@tactus/core'
import { componentStore } from '@tactus/storage'
import { componentCommands } from './commands.ts'

/**
 * External components as a host knows them: which there are, and their place among its services.
 *
 * Their connections, and what XEP-0114 asks of these, are the connection managers'.
 */
export const components: XmppModule = defineModule({
  name: 'components',
  implements: [],
  stores: [componentStore],
  migrations: [componentStore.migration('0150-component')],
  commands: componentCommands,

  setup({ disco, components }) {
    // XEP-0030 §4: what belongs to the host are the components below its domain; others are guests of its policy only.
    disco.items('domain', ({ host }) =>
      components
        .list()
        .filter((component) => component.host === host.name)
        .filter(({ domain }) => domain.endsWith(`.${host.name}`))
        .map(({ domain }) => ({ jid: domain })),
    )
  },
})
