import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { test } from 'node:test'
import { explainTrouble } from '../src/index.ts'

/** The error that Node itself makes. */
const caught = (run: () => unknown): Promise<unknown> =>
  new Promise((resolve) => {
    Promise.resolve().then(run).catch(resolve)
  })

test('a port that is taken is told with what to do', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const error = await caught(
    () =>
      new Promise((_, reject) => {
        createServer().once('error', reject).listen(port, '127.0.0.1')
      }),
  )
  server.close()
  assert.deepEqual(explainTrouble(error), {
    text: `127.0.0.1:${port} is already in use: stop the program that listens there or choose another port under "listen".`,
    exitCode: 78,
  })
})

test('a port that is not permitted and an address of another machine are told too', () => {
  const listen = (code: string) =>
    explainTrouble(
      Object.assign(new Error(code), { code, syscall: 'listen', address: '::1', port: 80 }),
    )
  assert.match(
    listen('EACCES')?.text ?? '',
    /^Listening on \[::1\]:80 is not permitted: ports below 1024/,
  )
  assert.match(listen('EADDRNOTAVAIL')?.text ?? '', /^\[::1\]:80 is not an address of this machine/)
  assert.equal(listen('EACCES')?.exitCode, 78)
})

test('a file that cannot be used is told by its path', async () => {
  const error = await caught(() => readFileSync('/nonexistent/tactus'))
  assert.deepEqual(explainTrouble(error), {
    text: 'Cannot use /nonexistent/tactus: it does not exist.',
    exitCode: 78,
  })
})

test('what cannot be reached may be there later: that is another exit code', async () => {
  const error = await caught(
    () => new Promise((_, reject) => connect(1, '127.0.0.1').once('error', reject)),
  )
  const expected = { text: 'Cannot reach 127.0.0.1:1 (ECONNREFUSED).', exitCode: 69 }
  assert.deepEqual(explainTrouble(error), expected)
  assert.deepEqual(explainTrouble(new Error('no bus', { cause: error })), expected)
})

test('an error with an exit code speaks for itself', () => {
  const error = Object.assign(new Error('tactus.yaml:1:1 hosts: …'), { exitCode: 78 })
  assert.deepEqual(explainTrouble(error), { text: 'tactus.yaml:1:1 hosts: …', exitCode: 78 })
})

test('anything else is a bug and wants its stack', () => {
  assert.equal(explainTrouble(new TypeError('x is not a function')), undefined)
  assert.equal(explainTrouble('text'), undefined)
})
