import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '..')
process.chdir(root)

/** Lowest first. A workspace may depend on any layer to the left of its own. */
const layers = [
  ['env', 'xml', 'telemetry', 'config'],
  ['jid'],
  ['stanza', 'sasl', 'storage', 'bus'],
  ['stream', 'cluster'],
  ['core'],
  ['modules'],
  ['connection-manager', 'router'],
  ['standalone'],
  ['ctl'],
  ['testkit'],
]
const rank = (name: string): number => layers.findIndex((layer) => layer.includes(name))

interface Manifest {
  readonly name: string
  readonly dependencies?: Readonly<Record<string, string>>
}

const readManifest = (path: string): Manifest => JSON.parse(readFileSync(path, 'utf8'))

for (const manifest of globSync('{packages,services}/*/package.json')) {
  const { name, dependencies = {} } = readManifest(manifest)
  const self = name.replace('@tactus/', '')
  const internal = Object.keys(dependencies)
    .filter((dependency) => dependency.startsWith('@tactus/'))
    .map((dependency) => dependency.replace('@tactus/', ''))

  test(`${self} depends only on lower layers`, () => {
    assert.notEqual(rank(self), -1, `${self} has no layer`)
    for (const dependency of internal)
      assert(rank(dependency) < rank(self), `${self} must not depend on ${dependency}`)
  })

  test(`${self} references in tsconfig what it depends on in package.json`, () => {
    const { references = [] } = JSON.parse(
      readFileSync(`${dirname(manifest)}/tsconfig.json`, 'utf8'),
    )
    const referenced = references.map(({ path }: { path: string }) => path.split('/').at(-1))
    assert.deepEqual(referenced.toSorted(), internal.toSorted())
  })

  test(`${self} pins every third-party package to one version`, () => {
    for (const [dependency, version] of Object.entries(dependencies))
      if (!dependency.startsWith('@tactus/'))
        assert.match(version, /^\d+\.\d+\.\d+$/, `${dependency} in ${manifest}`)
  })
}

test('every workspace is built and its tests are type-checked', () => {
  const workspaces = globSync('{packages,services}/*/package.json').map(dirname)
  for (const file of ['tsconfig.json', 'tsconfig.tests.json']) {
    const { references } = JSON.parse(readFileSync(file, 'utf8'))
    const built = references.map(({ path }: { path: string }) => path)
    assert.deepEqual(built.toSorted(), workspaces.toSorted(), file)
  }
})

/** Source without comments; strings are kept, for imports are written in them. */
const codeOf = (path: string): string =>
  readFileSync(path, 'utf8')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/(^|\s)\/\/.*$/gm, '$1')

const importsOf = (path: string): readonly string[] =>
  [...codeOf(path).matchAll(/(?:from|import\(|import)\s*['"]([^'"]+)['"]/g)].map(
    ([, specifier]) => specifier ?? '',
  )

/**
 * What a handler, a step or a rule may not ask of the world: the simulation replays a run from its
 * seed, so time and chance come through `Env`, and sockets, files and SQL through ports.
 */
const impure: readonly (readonly [what: RegExp, instead: string])[] = [
  [/\bMath\.random\b/, 'env.random'],
  [/\bDate\.now\b/, 'env.clock.now'],
  [/\bnew Date\(\s*\)/, 'env.clock.now'],
  [/\bperformance\.now\b/, 'env.clock.monotonic'],
  [/\bset(?:Timeout|Interval|Immediate)\b/, 'env.clock.after'],
  [/\brandom(?:Bytes|UUID|Int|FillSync)\b/, 'env.random'],
  [/\bprocess\.(?:hrtime|nextTick)\b/, 'env.clock, or a promise'],
]

/** The parts that the simulation runs; adapters to real machines are not among them. */
const simulated = [
  'packages/{cluster,core,modules}/src/**/*.ts',
  'packages/bus/src/memory/**/*.ts',
  'packages/bus/src/memory-*.ts',
  'packages/bus/src/proto/**/*.ts',
]

test('what the simulation runs takes time and chance from Env only', () => {
  const files = globSync(simulated)
  assert(files.length > 0)
  const found = files.flatMap((file) =>
    impure
      .filter(([what]) => what.test(codeOf(file)))
      .map(([what, instead]) => `${file}: ${what.source}; use ${instead}`),
  )
  assert.deepEqual(found, [])
})

test('what the simulation runs opens no socket and no file', () => {
  const found = globSync(simulated).flatMap((file) =>
    importsOf(file)
      .filter((name) =>
        /^node:(net|tls|http|https|dns|fs|fs\/.*|timers.*|worker_threads)$/.test(name),
      )
      .map((name) => `${file} imports ${name}`),
  )
  assert.deepEqual(found, [])
})

test('a module imports no sibling: what two need is in core', () => {
  const found = globSync('packages/modules/src/*/**/*.ts').flatMap((file) => {
    const own = file.split('/')[3] ?? ''
    return importsOf(file)
      .filter((name) => name.startsWith('.'))
      .map((name) => join(dirname(file), name))
      .filter((path) => !path.startsWith(`packages/modules/src/${own}/`))
      .map((path) => `${file} imports ${path}`)
  })
  assert.deepEqual(found, [])
})

test('only the public surface crosses a package', () => {
  const found = globSync('{packages,services,test,scripts}/**/*.ts', {
    exclude: (name) => /node_modules|dist/.test(name),
  }).flatMap((file) => {
    const own = file.split('/').slice(0, 2).join('/')
    return importsOf(file)
      .filter((name) => {
        if (/^@tactus\/[^/]+\/(src|dist)\//.test(name)) return true
        const target = name.startsWith('.') ? join(dirname(file), name) : ''
        // What is about the whole may use the tools of a package's own tests.
        if (own.startsWith('test/') && /^(packages|services)\/[^/]+\/test\//.test(target))
          return false
        return /^(packages|services)\//.test(target) && !target.startsWith(`${own}/`)
      })
      .map((name) => `${file} imports ${name}`)
  })
  assert.deepEqual(found, [])
})
