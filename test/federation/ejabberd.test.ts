import { Ejabberd } from './ejabberd.ts'
import { federatesWith } from './foreign.ts'

federatesWith({
  name: 'ejabberd',
  program: 'ejabberd',
  start: (options) => Ejabberd.start(options),
  asksSystemForHosts: true,
})
