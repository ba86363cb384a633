import { Ejabberd } from './ejabberd.ts'
import { federatesWith } from './foreign.ts'

const ejabberd = {
  name: 'ejabberd',
  program: 'ejabberd',
  start: (options: Parameters<typeof Ejabberd.start>[0]) => Ejabberd.start(options),
  asksSystemForHosts: true,
} as const

federatesWith(ejabberd)
// Debian's knows nothing of it: each side goes to the other by a stream of its own.
federatesWith(ejabberd, { s2s: { bidi: true }, about: ', with XEP-0288 on our side' })
