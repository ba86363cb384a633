import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '..')
process.chdir(root)

const read = (path: string): string => readFileSync(path, 'utf8')

/** Tracked files, and new ones that git does not ignore. */
const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { encoding: 'utf8' })
  .split('\n')
  .filter((file) => file !== '' && existsSync(file))

interface Export {
  readonly name: string
  /** The comment above the definition; undefined when there is none. */
  readonly comment: string | undefined
}

const declaration =
  /^export (?:declare )?(?:abstract )?(?:async )?(?:function\*?|class|const|let|interface|type) (\w+)/gm

/** The doc comment that ends right above `offset`. */
function commentAbove(text: string, offset: number): string | undefined {
  // A suppression of the linter may stand between.
  const above = text
    .slice(0, offset)
    .replace(/(?:^\/\/.*\n)+$/m, '')
    .trimEnd()
  if (!above.endsWith('*/')) return undefined
  const start = above.lastIndexOf('/*')
  return above.startsWith('/**', start) ? above.slice(start) : undefined
}

/** `{ a, type B, c as d }` → a, B, c: the names at the definition. */
const namesIn = (list: string): readonly string[] =>
  list
    .split(',')
    .map(
      (item) =>
        item
          .trim()
          .replace(/^type /, '')
          .split(' as ')[0] ?? '',
    )
    .filter(Boolean)

/** What a file exports: what it defines, and what it passes on. */
function exportsOf(path: string): readonly Export[] {
  const text = read(path)
  const own = [...text.matchAll(declaration)].map((match) => ({
    name: match[1] ?? '',
    comment: commentAbove(text, match.index),
  }))
  // Of an overloaded function, the first declaration carries the comment.
  const first = own.filter(
    ({ name }, index) => own.findIndex((other) => other.name === name) === index,
  )
  const listed = [...text.matchAll(/^export (?:type )?\{([^}]*)\} from '(\.[^']+)'/gm)].flatMap(
    ([, list = '', from = '']) => {
      const there = exportsOf(join(dirname(path), from))
      return namesIn(list).map(
        (name) => there.find((item) => item.name === name) ?? { name, comment: undefined },
      )
    },
  )
  const all = [...text.matchAll(/^export (?:type )?\* from '(\.[^']+)'/gm)].flatMap(
    ([, from = '']) => exportsOf(join(dirname(path), from)),
  )
  return [...first, ...listed, ...all]
}

const wordsOf = (text: string): readonly string[] =>
  text
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .match(/[\p{L}\p{N}]{2,}/gu) ?? []

const empty = new Set(
  'the an of for to and or in on is are its it this that as by with from class type function interface constant value values returns return gets get sets set represents represent object given new creates create makes make'.split(
    ' ',
  ),
)

/** Whether a comment says anything that the name does not. */
function saysMore(name: string, comment: string): boolean {
  const known = wordsOf(name)
  return wordsOf(comment).some(
    (word) =>
      !empty.has(word) && !known.some((part) => word.startsWith(part) || part.startsWith(word)),
  )
}

/** Where a package can be imported from. */
const entries = globSync('packages/*/package.json').flatMap((manifest) => {
  const { exports } = JSON.parse(read(manifest)) as {
    exports: Record<string, { source: string }>
  }
  return Object.values(exports).map(({ source }) => join(dirname(manifest), source))
})

for (const entry of entries) {
  test(`everything that ${entry} exports says why it is there`, () => {
    const silent = exportsOf(entry)
      .filter(({ name, comment }) => comment === undefined || !saysMore(name, comment))
      .map(({ name, comment }) =>
        comment === undefined ? `${name} has no doc comment` : `${name}: says only its name`,
      )
    assert.deepEqual(silent, [])
  })
}

test('the gate itself tells comments from echoes', () => {
  assert.equal(saysMore('parseJid', '/** Parses a JID. */'), false)
  assert.equal(saysMore('RosterItem', '/** Represents the roster item. */'), false)
  assert.equal(saysMore('parseJid', '/** Parses untrusted text; undefined if malformed. */'), true)
})

const isCode = (file: string): boolean => /\.(ts|tsx|mjs|lua)$/.test(file)
const isText = (file: string): boolean =>
  /\.(ts|tsx|mjs|lua|md|json|jsonc|ya?ml|sh|py|sql|toml|Dockerfile)$/.test(file) &&
  file !== 'package-lock.json'

/** Lines that a pattern finds, as `file:line`. */
const linesWith = (pattern: RegExp, among: readonly string[]): readonly string[] =>
  among.flatMap((file) =>
    read(file)
      .split('\n')
      .flatMap((line, index) =>
        pattern.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [],
      ),
  )

const others = files.filter((file) => file !== 'test/docs.test.ts')

test('a TODO names its issue, and no other mark of unfinished work is left', () => {
  const found = linesWith(/\bTODO\b(?!\(#\d+\))|\b(?:FIXME|XXX|HACK)\b/, others.filter(isCode))
  assert.deepEqual(found, [])
})

test('no path of one machine is written down', () => {
  const found = linesWith(/(?:^|[\s'"`(=:])\/(?:home|Users|root|work)\/\w/, others.filter(isText))
  assert.deepEqual(found, [])
})

const pages = files.filter((file) => file.endsWith('.md'))

test('links between pages lead somewhere', () => {
  const found = pages.flatMap((page) =>
    [...read(page).matchAll(/\]\(([^)\s#]+)(?:#[^)]*)?\)/g)]
      .map(([, target = '']) => target)
      .filter((target) => !/^[a-z]+:/.test(target))
      .filter((target) => !existsSync(join(dirname(page), target)))
      .map((target) => `${page} → ${target}`),
  )
  assert.deepEqual(found, [])
})

test('the npm commands that pages tell exist', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
  const found = pages.flatMap((page) =>
    [...read(page).matchAll(/\bnpm (?:run ([\w:]+)|(start|test)\b)/g)]
      .map(([, script, short]) => script ?? short ?? '')
      .filter((name) => !Object.hasOwn(scripts, name))
      .map((name) => `${page}: ${name}`),
  )
  assert.deepEqual(found, [])
})
