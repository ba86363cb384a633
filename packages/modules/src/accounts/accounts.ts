import { defineModule, type XmppModule } from '@tactus/core'
import { accountStore, mailboxStore } from '@tactus/storage'
import { overviewCommands } from './overview-commands.ts'
import { sessionCommands } from './session-commands.ts'
import { userCommands } from './user-commands.ts'

/** Accounts: what operators do with accounts and sessions. It speaks no XMPP; registration in-band is a module apart. */
export const accounts: XmppModule = defineModule({
  name: 'accounts',
  implements: [],
  stores: [accountStore, mailboxStore],
  commands: [...userCommands, ...overviewCommands, ...sessionCommands],

  setup() {},
})
