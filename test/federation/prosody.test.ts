import { federatesWith } from './foreign.ts'
import { Prosody } from './prosody.ts'

federatesWith({ name: 'Prosody', program: 'prosody', start: (options) => Prosody.start(options) })
