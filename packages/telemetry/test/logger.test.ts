import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLogger, type LogOptions } from '../src/index.ts'

/** A logger and the lines it has written. */
function capture(options: LogOptions = {}) {
  const lines: string[] = []
  const log = createLogger({ format: 'json', ...options, write: (line) => void lines.push(line) })
  const records = () => lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  return { log, lines, records }
}

/** Takes off only the colours that we put on ourselves. */
const withoutColours = (text: string): string =>
  text.replaceAll(new RegExp(`${'\u001b'}\\[\\d+m`, 'g'), '')

test('a record has its event, its level as a word, the time and what is bound', () => {
  const { log, records } = capture({ fields: { service: 'router' } })
  log.child({ instance: 'r1' }).info('stream_closed', { account: 'juliet@example.test' })
  const [record] = records()
  assert.match(String(record?.time), /^\d{4}-\d\d-\d\dT.*Z$/)
  assert.deepEqual(
    { ...record, time: '' },
    {
      level: 'info',
      time: '',
      service: 'router',
      instance: 'r1',
      event: 'stream_closed',
      account: 'juliet@example.test',
    },
  )
})

test('a field that is bound twice is written once, as it was bound last', () => {
  const { log, lines } = capture({ fields: { service: 'standalone' } })
  log.child({ service: 'router' }).info('started')
  assert.deepEqual(lines[0]?.match(/"service":"\w+"/g), ['"service":"router"'])
})

test('what is below the level is not written, and can be asked for', () => {
  const { log, lines } = capture({ level: 'warn' })
  log.info('session_bound')
  log.warn('peer_misbehaved')
  assert.equal(lines.length, 1)
  assert.equal(log.enabled('info'), false)
  assert.equal(log.enabled('error'), true)
})

test('SECURITY: secrets and what people write are not written, whoever hands them over', () => {
  const { log, lines } = capture()
  log.info('auth_failed', { password: 'wherefore', nested: { token: 'wherefore' } })
  log.info('stanza_refused', { stanza: 'wherefore', message: { body: 'wherefore' } })
  assert.equal(lines.length, 2)
  for (const line of lines) {
    assert(!line.includes('wherefore'), line)
    assert(line.includes('[redacted]'), line)
  }
})

test('an error is written with its stack', () => {
  const { log, records } = capture()
  log.error('hook_failed', { err: new Error('poison') })
  const { err } = records()[0] as { err: { message: string; stack: string } }
  assert.equal(err.message, 'poison')
  assert.match(err.stack, /logger\.test\.ts/)
})

test('for a person, a record is one line and the stack comes below', () => {
  const { log, lines } = capture({ format: 'pretty', fields: { service: 'router' } })
  log.info('stream_closed', { account: 'juliet@example.test', count: 3, text: 'two words' })
  log.error('hook_failed', { err: new Error('poison') })
  const [first, second] = lines.map((line) => withoutColours(line))
  assert.match(
    first ?? '',
    /^\d\d:\d\d:\d\d info {2}stream_closed service=router account=juliet@example\.test count=3 text="two words"\n$/,
  )
  assert.match(
    second ?? '',
    /^\d\d:\d\d:\d\d error hook_failed service=router\nError: poison\n {4}at /,
  )
})

test('SECURITY: what strangers send gives no commands to the terminal', () => {
  const { log, lines } = capture({ format: 'pretty' })
  const evil = '\u001b]0;title\u0007 \u009b2J \u202e \r over'
  log.info('stream_closed', { evil, [evil]: 1, err: new Error(evil) })
  const text = withoutColours(lines[0] ?? '')
  for (const command of ['\u001b', '\u0007', '\u009b', '\u202e', '\r'])
    assert(!text.includes(command), JSON.stringify(text))
})
