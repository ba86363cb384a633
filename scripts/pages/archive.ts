import { type ArchiveRule, archiveRules, roomArchiveRules } from '@tactus/modules'
import { generatedNotice, table } from './markdown.ts'

const introduction = `# What archives keep

The first line that fits a message decides. Copies (carbons), results of queries and what an account refuses (blocking)
are never archived. Then the account's preferences (XEP-0441) decide about what is kept; \`modules.archive.default\` says
what holds where it has none. Guests (\`anonymous\` hosts) have no archive.
`

const ofRooms = `
## In rooms

Of what was said to all in a room that keeps an archive (\`muc#roomconfig_enablearchiving\`,
\`modules.archive.roomArchives\`), once, and as all were told it. Private messages (XEP-0045 §7.5) are in no archive of a
room.
`

/** The rules of `packages/modules/src/archive/rules.ts`. */
export function archivePage(): string {
  return [
    generatedNotice,
    introduction,
    rulesTable(archiveRules),
    ofRooms,
    rulesTable(roomArchiveRules),
  ].join('\n')
}

function rulesTable(rules: readonly ArchiveRule[]): string {
  const rows = rules.map(({ messages, kept, because }) => [messages, kept ? 'yes' : 'no', because])
  return table(['messages', 'kept', 'because'], rows)
}
