import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'

const index = new URL('../src/index.ts', import.meta.url).href

interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly output: string
}

interface Program {
  readonly child: ChildProcess
  /** Resolves once this has been printed. */
  printed(text: string): Promise<void>
  readonly ended: Promise<Ended>
}

/** Runs `body` as the main of a program of its own: signals and exit codes want a real process. */
function program(body: string, options = '{}'): Program {
  const text = `
    import { createLogger, run } from '${index}'
    const say = (text) => process.stdout.write(text + '\\n')
    await run(async (life) => { ${body} }, ${options})`
  const child = spawn(process.execPath, ['--conditions=source', '--input-type=module', '-e', text])
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      output += String(chunk)
    })
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, output }))
  const printed = async (wanted: string): Promise<void> => {
    while (!output.includes(wanted)) await Promise.race([once(child.stdout, 'data'), ended])
  }
  return { child, printed, ended }
}

test('a signal drains, then disposes in reverse, then ends with 0', async () => {
  const { child, printed, ended } = program(`
    life.use({ [Symbol.dispose]: () => say('first gone') })
    life.use({ [Symbol.asyncDispose]: async () => say('second gone') })
    life.onDrain(async () => { await null; say('drained') })
    life.stopping.addEventListener('abort', () => say('stopping ' + life.stopping.reason))
    say('up')`)
  await printed('up')
  child.kill('SIGTERM')
  assert.deepEqual(await ended, {
    code: 0,
    signal: null,
    output: 'up\nstopping SIGTERM\ndrained\nsecond gone\nfirst gone\n',
  })
})

test('the echo of a signal is not impatience', async () => {
  const { child, printed, ended } = program(`
    const told = new Promise((resolve) => process.on('SIGUSR2', resolve))
    life.onDrain(async () => { await told; say('drained') })
    life.stopping.addEventListener('abort', () => say('stopping'))
    say('up')`)
  await printed('up')
  child.kill('SIGINT')
  child.kill('SIGINT')
  await printed('stopping')
  child.kill('SIGINT')
  child.kill('SIGUSR2')
  const { code, output } = await ended
  assert.equal(code, 0)
  assert.match(output, /drained/)
})

test('a second signal after a while does not wait', async () => {
  const { child, printed, ended } = program(`
    life.onDrain(() => new Promise(() => {}))
    life.stopping.addEventListener('abort', () => setTimeout(() => say('a while later'), 1_100))
    say('up')`)
  await printed('up')
  child.kill('SIGINT')
  await printed('a while later')
  child.kill('SIGINT')
  assert.equal((await ended).signal, 'SIGINT')
})

test('a drain that takes too long is cut short', async () => {
  const { child, printed, ended } = program(
    `
    life.onDrain((deadline) => new Promise(() => deadline.addEventListener('abort', () => say('late'))))
    life.use({ [Symbol.dispose]: () => say('disposed') })
    say('up')`,
    '{ drainWithin: 50 }',
  )
  await printed('up')
  child.kill('SIGTERM')
  const { code, output } = await ended
  assert.equal(code, 0)
  assert.equal(output, 'up\nlate\ndisposed\n')
})

test('the last resort ends a process that something forgotten keeps alive', async () => {
  const { child, printed, ended } = program(
    `
    setInterval(() => {}, 1_000)
    life.logTo(createLogger({ format: 'json' }))
    say('up')`,
    '{ lastResort: 50 }',
  )
  await printed('up')
  child.kill('SIGTERM')
  const { code, output } = await ended
  assert.equal(code, 70)
  assert.match(output, /"event":"exit_forced"/)
})

test('what a person can mend is told in a sentence, and ends with its own exit code', async () => {
  const { ended } = program(`
    life.use({ [Symbol.dispose]: () => say('disposed') })
    throw Object.assign(new Error('tactus.yaml:1:1 hosts: unknown key'), { exitCode: 78 })`)
  const { code, output } = await ended
  assert.equal(code, 78)
  assert.match(output, /^tactus: tactus\.yaml:1:1 hosts: unknown key$/m)
  assert.match(output, /^disposed$/m)
  assert.doesNotMatch(output, / at /)
})

test('a bug is told with its stack, is not drained, and ends with 70', async () => {
  for (const bug of [
    "throw new TypeError('poison')",
    "setTimeout(() => { throw new TypeError('poison') })",
    "void Promise.reject(new TypeError('poison'))",
  ]) {
    const { ended } = program(`
      life.onDrain(async () => say('drained'))
      life.use({ [Symbol.dispose]: () => say('disposed') })
      ${bug}`)
    const { code, output } = await ended
    assert.equal(code, 70, bug)
    assert.match(output, /TypeError: poison\n +at /)
    assert.match(output, /^disposed$/m)
    assert.doesNotMatch(output, /drained/)
  }
})

test('a program can end itself, and its log tells the story', async () => {
  const { ended } = program(`
    life.logTo(createLogger({ format: 'json' }))
    life.stop('done')`)
  const { code, output } = await ended
  assert.equal(code, 0)
  assert.match(output, /"event":"shutdown_started","reason":"done"/)
  assert.match(output, /"event":"shutdown_finished","exit_code":0/)
})

test('a signal during start-up does not wait for the start', async () => {
  const { child, printed, ended } = program(`
    life.use({ [Symbol.dispose]: () => say('disposed') })
    say('starting')
    await new Promise(() => {})`)
  await printed('starting')
  child.kill('SIGTERM')
  assert.deepEqual(await ended, { code: 0, signal: null, output: 'starting\ndisposed\n' })
})

for (const format of ['json', 'pretty'])
  test(`a program whose output nobody reads any more goes on, at rest (${format})`, {
    timeout: 30_000,
  }, async (t) => {
    const text = `
      import { createLogger, run } from '${index}'
      await run(async (life) => {
        const log = createLogger({ format: '${format}' })
        life.logTo(log)
        process.on('message', async () => {
          for (let at = 0; at < 100; at += 1) {
            log.error('nobody_listened', { at })
            process.stdout.write('out\\n')
            process.stderr.write('err\\n')
            await new Promise((resolve) => setImmediate(resolve))
          }
          const before = process.cpuUsage()
          setTimeout(() => {
            const { user, system } = process.cpuUsage(before)
            process.send({ busy: (user + system) / 1000 })
          }, 500)
        })
        process.send('up')
      })
      process.disconnect()`
    const child = spawn(
      process.execPath,
      ['--conditions=source', '--input-type=module', '-e', text],
      { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] },
    )
    t.after(() => child.kill('SIGKILL'))
    const ended = once(child, 'close')
    await once(child, 'message')
    child.stdout?.destroy()
    child.stderr?.destroy()

    child.send('speak')
    const [{ busy }] = (await Promise.race([once(child, 'message'), ended])) as [{ busy: number }]
    child.kill('SIGTERM')

    assert.ok(busy < 250, `${busy} ms of work in 500 ms of rest`)
    assert.deepEqual(await ended, [0, null])
  })
