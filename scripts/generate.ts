/** Writes docs/generated and parts of the chart; with `--check` it only tells what is out of date, and fails if anything is. */
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generators } from './generators.ts'

const root = join(import.meta.dirname, '..')
const docs = join('docs', 'generated')
const isCheck = process.argv.includes('--check')
const stale: string[] = []

for (const { folder = docs, file, render } of generators) {
  const path = join(root, folder, file)
  mkdirSync(join(root, folder), { recursive: true })
  const text = await render()
  if (existsSync(path) && readFileSync(path, 'utf8') === text) continue
  stale.push(join(folder, file))
  if (!isCheck) writeFileSync(path, text)
}

const known = new Set(
  generators.filter(({ folder = docs }) => folder === docs).map(({ file }) => file),
)
for (const file of globSync('**/*.*', { cwd: join(root, docs) })) {
  if (known.has(file)) continue
  stale.push(join(docs, file))
  if (!isCheck) rmSync(join(root, docs, file))
}

if (stale.length > 0) {
  const what = stale.join(', ')
  process.stdout.write(
    isCheck ? `out of date: ${what}; run: npm run generate\n` : `written: ${what}\n`,
  )
}
process.exitCode = isCheck && stale.length > 0 ? 1 : 0
