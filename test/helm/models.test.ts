import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import {
  chart,
  fixtures,
  helm,
  type Manifest,
  noHelm,
  render,
  root,
  valuesOf,
} from './rendering.ts'

const folder = mkdtempSync(join(tmpdir(), 'tactus-chart-'))
after(() => rmSync(folder, { recursive: true }))

const moduleOf = ({ apiVersion }: Manifest): string =>
  apiVersion.startsWith('monitoring.coreos.com/')
    ? `@kubernetes-models/prometheus-operator/${apiVersion}`
    : `kubernetes-models/${apiVersion}`

interface Model {
  new (manifest: Manifest): { validate(): void }
}

/** Compiles manifests as literals of their types, which finds fields that do not exist. */
function compile(manifests: readonly Manifest[]): string {
  const lines = manifests.map((manifest, index) => {
    const type = `import('${moduleOf(manifest)}').I${manifest.kind}`
    return `export const manifest${index}: ${type} = ${JSON.stringify(manifest, null, 2)}\n`
  })
  writeFileSync(join(folder, 'manifests.ts'), lines.join('\n'))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  const options = { module: 'nodenext', target: 'es2024', strict: true, noEmit: true }
  const compilerOptions = { ...options, skipLibCheck: true, types: [] }
  const config = { compilerOptions, files: ['manifests.ts'] }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
  const { stdout, stderr } = spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', folder], {
    cwd: folder,
    encoding: 'utf8',
  })
  return `${stdout}${stderr}`
}

symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))

for (const fixture of fixtures) {
  test(`${fixture}: the chart has no fault that Helm knows of`, { skip: noHelm }, () => {
    const { ok, text } = helm('lint', '--strict', chart, '--values', valuesOf(fixture))
    assert(ok, text)
  })

  test(`${fixture}: every manifest is one that Kubernetes would take`, {
    skip: noHelm,
  }, async () => {
    for (const manifest of render(fixture)) {
      const models = (await import(moduleOf(manifest))) as Readonly<Record<string, Model>>
      const model = models[manifest.kind]
      assert(model, `${manifest.apiVersion} has no ${manifest.kind}`)
      assert.doesNotThrow(
        () => new model(manifest).validate(),
        `${manifest.kind} ${manifest.metadata.name}`,
      )
    }
  })

  test(`${fixture}: no two manifests have one name`, { skip: noHelm }, () => {
    const names = render(fixture).map(({ kind, metadata }) => `${kind} ${metadata.name}`)
    assert.deepEqual(names.toSorted(), [...new Set(names)].toSorted())
  })
}

test('no manifest has a field that Kubernetes does not know', { skip: noHelm }, () => {
  assert.equal(compile(fixtures.flatMap(render)), '')
})

test('the check of fields finds one that is misspelt', { skip: noHelm }, () => {
  const [budget] = render('minimal').filter(({ kind }) => kind === 'PodDisruptionBudget')
  assert(budget)
  const wrong = { ...budget, spec: { ...budget.spec, maxUnavailible: 1 } }
  assert.match(compile([wrong]), /maxUnavailible/)
})
