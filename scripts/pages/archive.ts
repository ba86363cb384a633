import { archiveRules } from '@tactus/modules'
import { generatedNotice, table } from './markdown.ts'

const introduction = `# What archives keep

The first line that fits a message decides. Copies (carbons), results of queries and what an account refuses (blocking)
are never archived. Then the account's preferences (XEP-0441) decide about what is kept; \`modules.archive.default\` says
what holds where it has none. Guests (\`anonymous\` hosts) have no archive.
`

/** The rules of `packages/modules/src/archive/rules.ts`. */
export function archivePage(): string {
  const rows = archiveRules.map(({ messages, kept, because }) => [
    messages,
    kept ? 'yes' : 'no',
    because,
  ])
  return [generatedNotice, introduction, table(['messages', 'kept', 'because'], rows)].join('\n')
}
