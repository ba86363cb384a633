import { defineModule, type XmppModule } from '@tactus/core'
import { gateStore } from '@tactus/storage'
import { gateCommands } from './commands.ts'

/**
 * Which other servers a host bans, for a time or for ever, and which it trusts.
 *
 * Routers send nothing to who is banned, and connection managers take nothing from them; these also count what they have
 * to end streams for, and ban who goes too far.
 */
export const gateGuard: XmppModule = defineModule({
  name: 'gate-guard',
  implements: [],
  stores: [gateStore],
  migrations: [gateStore.migration('0151-gate')],
  commands: gateCommands,
  setup() {},
})
