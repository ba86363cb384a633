import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { code, generatedNotice, table } from './markdown.ts'

const source = join(import.meta.dirname, '../../packages/core/src/hook-points.ts')

/** How each interface of the source is introduced to a module's author. */
const kinds = {
  Facts: 'Past tense: something happened. Any number of modules observe it, none has a verdict.',
  Decisions: 'Questions: the first module that refuses (by a `StanzaError`) decides.',
  Rewrites: 'Present participles: each returns the stanza that goes on.',
  Duties: 'What exactly one module does; a second claim is refused at boot.',
}

const introduction = `# Hooks

Where a module can take part in what happens to stanzas and sessions. The list is closed:
\`packages/core/src/hook-points.ts\`, which also has the payload of each.
`

/** The body of one interface. */
function bodyOf(text: string, name: string): string {
  const start = text.indexOf(`export interface ${name} {`)
  if (start < 0) throw new Error(`hook-points.ts has no interface ${name}`)
  return text.slice(start, text.indexOf('\n}', start))
}

/** Each hook with the comment above it; what has none goes without. */
function hooksOf(body: string): readonly (readonly [name: string, meaning: string])[] {
  const hook = /^ {2}(?:\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*)?'([a-z.-]+)':/gm
  return [...body.matchAll(hook)].map(([, comment = '', name = '']) => [
    name,
    comment.replace(/\s*\n\s*\*?\s*/g, ' ').trim(),
  ])
}

/** Every hook by kind, in the order of the source. */
export function hooksPage(): string {
  const text = readFileSync(source, 'utf8')
  const sections = Object.entries(kinds).map(([kind, meaning]) => {
    const rows = hooksOf(bodyOf(text, kind)).map(([name, what]) => [code(name), what])
    return `## ${kind}\n\n${meaning}\n\n${table(['hook', 'meaning'], rows)}`
  })
  return [generatedNotice, introduction, ...sections].join('\n')
}
