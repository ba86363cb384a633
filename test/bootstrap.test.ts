import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'

const root = join(import.meta.dirname, '..')
const runtimePackage = `node_modules/node-${process.platform}-${process.arch}`
const lock = (version: string): string =>
  JSON.stringify({ packages: { '': {}, 'node_modules/thing': { version, integrity: version } } })

/** Stands in for npm: counts its runs, and leaves behind what the real one would. */
const fakeNpm = `#!/bin/sh
echo "$@" >> installs
[ -f fail ] && { echo 'npm error network' >&2; exit 1; }
while [ -f hold ]; do sleep 0.02; done
mkdir -p ${runtimePackage}/bin
ln -sf ${process.execPath} ${runtimePackage}/bin/node
cp package-lock.json node_modules/.package-lock.json
`

const target = `
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => { process.stdout.write(signal + '\\n'); process.exit(7) })
setInterval(() => {}, 1_000)
process.stdout.write('up ' + process.pid + ' ' + process.argv.slice(2).join(',') + '\\n')
`

interface Ended {
  readonly code: number | null
  readonly output: string
}

interface Run {
  readonly child: ChildProcess
  printed(text: string): Promise<void>
  readonly ended: Promise<Ended>
}

/** A clone of nothing but the scripts, with one target. */
class Clone {
  readonly folder: string

  constructor(t: TestContext) {
    this.folder = mkdtempSync(join(tmpdir(), 'tactus-clone-'))
    t.after(() => rmSync(this.folder, { recursive: true, force: true }))
    for (const path of ['scripts', 'bin', 'services/standalone/src', 'services/ctl/src'])
      mkdirSync(this.path(path), { recursive: true })
    for (const script of ['bootstrap.mjs', 'run.mjs', 'tactusctl.mjs'])
      copyFileSync(join(root, 'scripts', script), this.path(`scripts/${script}`))
    writeFileSync(this.path('bin/npm'), fakeNpm, { mode: 0o755 })
    this.write('package-lock.json', lock('1'))
    this.write('services/standalone/src/main.ts', target)
    this.write('services/ctl/src/main.ts', 'process.stdout.write(process.cwd()); process.exit(5)')
  }

  path(path: string): string {
    return join(this.folder, path)
  }

  write(path: string, text: string): void {
    writeFileSync(this.path(path), text)
  }

  installs(): number {
    if (!existsSync(this.path('installs'))) return 0
    return readFileSync(this.path('installs'), 'utf8').trim().split('\n').length
  }

  run(script: string, args: readonly string[] = [], options: readonly string[] = []): Run {
    const child = spawn(process.execPath, [...options, this.path(script), ...args], {
      cwd: tmpdir(),
      env: { PATH: `${this.path('bin')}:/usr/bin:/bin` },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        output += String(chunk)
      })
    const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, output }))
    const printed = async (text: string): Promise<void> => {
      while (!output.includes(text)) {
        const more = [once(child.stdout, 'data'), once(child.stderr, 'data')]
        const over = ended.then(() => assert.fail(`ended without "${text}": ${output}`))
        await Promise.race([...more, over])
      }
    }
    return { child, printed, ended }
  }

  start(args: readonly string[] = [], options: readonly string[] = []): Run {
    return this.run('scripts/run.mjs', ['start', ...args], options)
  }
}

/** As on a Node that cannot replace its own process. */
const withoutExec = ['--import', 'data:text/javascript,process.execve=undefined']

for (const [how, options] of [
  ['by replacing itself', []],
  ['by standing in for its child', withoutExec],
] as const)
  test(`the target gets the arguments and signals and gives the exit code, ${how}`, async (t) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      const { child, printed, ended } = new Clone(t).start(['--data', 'x y'], options)
      await printed('up')
      child.kill(signal)
      const { code, output } = await ended
      assert.equal(code, 7)
      assert.match(output, new RegExp(`^up \\d+ --data,x y\\n${signal}\\n$`, 'm'))
    }
  })

test('it installs once, says so in one line, and again only when the lock file changes', async (t) => {
  const clone = new Clone(t)
  const startAndEnd = async (): Promise<string> => {
    const { child, printed, ended } = clone.start()
    await printed('up')
    child.kill('SIGTERM')
    return (await ended).output
  }
  const first = await startAndEnd()
  assert.match(first, /^tactus: installing the pinned runtime and dependencies \(once\)…\nup /)
  assert.match(readFileSync(clone.path('installs'), 'utf8'), /^ci .*--no-audit --no-fund/)
  assert.match(await startAndEnd(), /^up /)
  assert.equal(clone.installs(), 1)

  clone.write('package-lock.json', lock('2'))
  await startAndEnd()
  assert.equal(clone.installs(), 2)
})

test('an installation that was cut short is done again', async (t) => {
  const clone = new Clone(t)
  mkdirSync(clone.path(`${runtimePackage}/bin`), { recursive: true })
  await clone.run('scripts/tactusctl.mjs').ended
  assert.equal(clone.installs(), 1)
})

test('two that start at once install once', async (t) => {
  const clone = new Clone(t)
  clone.write('hold', '')
  const first = clone.run('scripts/tactusctl.mjs')
  await first.printed('installing')
  const second = clone.run('scripts/tactusctl.mjs')
  await second.printed('another process is installing')
  rmSync(clone.path('hold'))
  assert.deepEqual([(await first.ended).code, (await second.ended).code], [5, 5])
  assert.equal(clone.installs(), 1)
})

test('the lock of one that died does not stop the next', async (t) => {
  const clone = new Clone(t)
  const dead = spawn('/bin/true')
  await once(dead, 'exit')
  symlinkSync(String(dead.pid), clone.path('.bootstrap.lock'))
  assert.equal((await clone.run('scripts/tactusctl.mjs').ended).code, 5)
  assert.throws(() => readlinkSync(clone.path('.bootstrap.lock')), { code: 'ENOENT' })
})

test('a failed installation is told in a sentence, under what npm said', async (t) => {
  const clone = new Clone(t)
  clone.write('fail', '')
  const { code, output } = await clone.start().ended
  assert.equal(code, 1)
  assert.match(output, /npm error network\ntactus: `npm ci` failed .*\.\n$/)
})

test('tactusctl runs where its user is', async (t) => {
  const { code, output } = await new Clone(t).run('scripts/tactusctl.mjs').ended
  assert.equal(code, 5)
  assert(output.endsWith(tmpdir()))
})

test('a target that does not exist is told with those that do', async (t) => {
  const { code, output } = await new Clone(t).run('scripts/run.mjs', ['strat']).ended
  assert.equal(code, 1)
  assert.match(output, /unknown target "strat": start, cluster, test/)
})
