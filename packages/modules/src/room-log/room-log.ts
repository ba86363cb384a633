import { defineModule, type XmppModule } from '@tactus/core'
import { z } from 'zod'
import { logCommands } from './commands.ts'
import { logged, logMigration, logStore } from './log-room.ts'

/**
 * What is said in rooms, on the web: a page for each day, for rooms whose owners want it (XEP-0045 §16.5.3).
 *
 * Pages show what the archive of the room holds, so what was taken back is gone from them, and what the archive forgets.
 * Here it is read; whoever listens for HTTP makes pages of it (`http.logs`).
 */
export const roomLog: XmppModule = defineModule({
  name: 'room-log',
  implements: [],
  requires: ['muc', 'archive'],
  stores: [logStore],
  migrations: [logMigration],
  config: z.strictObject({
    enabled: z.boolean().default(false).meta({
      description:
        'Whether owners of rooms that are open to anybody may have them shown on the web. Also needs `http.logs`.',
    }),
    url: z.url().optional().meta({
      description:
        'Where on the web `http.logs` is, such as `https://capulet.example/logs`: rooms tell where their log is.',
    }),
  }),

  setup({ command, config, rooms }) {
    rooms.feature(logged(({ host }) => config(host)))
    for (const definition of logCommands(config)) command(definition)
  },
})
