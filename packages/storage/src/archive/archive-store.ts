import { sql } from 'kysely'
import type { Row, RowCollector, StateChange, StateKey } from '../rows.ts'
import { stateKey } from '../state-key.ts'
import type { DurableStore, Reader } from '../storage.ts'
import { allArchived } from './archive-rows.ts'

/** Table of the archives of all owners. */
export const archiveTable = 'archive'
/** Columns that name a row, for `Turn.remove`. */
export const archiveKey: readonly string[] = ['owner', 'id']

/** One message as an archive keeps it (XEP-0313 §3). */
export interface ArchivedMessage {
  /** Whose archive: most often a bare JID. */
  readonly owner: string
  /** The stanza-id that its owner's resources were told; unique within the archive. */
  readonly id: string
  /** When it was accepted, milliseconds since 1970. */
  readonly at: number
  /** True where the owner received it. */
  readonly incoming: boolean
  /** The other side, a bare JID, and its resource where the stanza named one. */
  readonly peer: string
  readonly resource: string | undefined
  /** What its sender calls it: the `id` of the stanza. */
  readonly origin: string | undefined
  /** What a search finds it by, see `wordsOf`. */
  readonly words: string | undefined
  readonly stanza: Uint8Array
}

/** Addresses a message in `archiveStore` by its id. */
export function archivedKey(owner: string, id: string): string {
  return `id\n${owner}\n${id}`
}

/** Addresses the newest message that came from, or went to, a peer under the id that its sender gave it. */
export function originKey(
  message: Pick<ArchivedMessage, 'owner' | 'incoming' | 'peer'>,
  origin: string,
): string {
  return `origin\n${message.owner}\n${message.incoming ? 'from' : 'to'} ${message.peer}\n${origin}`
}

/**
 * Messages of an entity's archives, by `archivedKey` and `originKey`; long lists are read by `readArchivePage`.
 *
 * New rows come through `Turn.insert` (`archiveRow`): most are written without anything being read. Setting a value
 * changes the row that is there.
 */
export const archiveStore: DurableStore<ArchivedMessage> = {
  kind: 'durable',
  name: 'archive',

  async load(
    reader: Reader,
    keys: readonly StateKey[],
  ): Promise<ReadonlyMap<string, ArchivedMessage>> {
    const found = new Map<string, ArchivedMessage>()
    await Promise.all(
      keys.map(async ({ entity, key }) => {
        const message = await loadOne(reader, key)
        if (message) found.set(stateKey(entity, key), message)
      }),
    )
    return found
  },

  save(changes: readonly StateChange<ArchivedMessage>[], rows: RowCollector): void {
    for (const { before, after } of changes) {
      if (after) rows.upsert(archiveTable, archiveKey, archiveRow(after))
      else if (before) rows.delete(archiveTable, archiveKey, archiveRow(before))
    }
  },
}

/** A message as the table has it, but for `n`, which the table itself gives. */
export function archiveRow(message: ArchivedMessage): Row {
  return {
    owner: message.owner,
    id: message.id,
    at: message.at,
    incoming: message.incoming ? 1 : 0,
    peer: message.peer,
    resource: message.resource ?? null,
    origin: message.origin ?? null,
    words: message.words ?? null,
    stanza: message.stanza,
  }
}

interface ArchiveTableRow {
  readonly owner: string
  readonly id: string
  readonly at: number
  readonly incoming: number
  readonly peer: string
  readonly resource: string | null
  readonly origin: string | null
  readonly words: string | null
  readonly stanza: Uint8Array
}

const columns = sql.raw(
  ['n', 'owner', 'id', 'at', 'incoming', 'peer', 'resource', 'origin', 'words', 'stanza']
    .map((name) => `"${name}"`)
    .join(', '),
)

/** Both kinds of key are asked for seldom: for a replay after a loss, and for a retraction. */
async function loadOne(reader: Reader, key: string): Promise<ArchivedMessage | undefined> {
  const [kind, owner = '', ...rest] = key.split('\n')
  const { rows } = await sql<ArchiveTableRow>`select ${columns} from ${
    kind === 'id'
      ? sql`"archive" where "owner" = ${owner} and "id" = ${rest.join('\n')}`
      : sql`${allArchived(reader)} where "owner" = ${owner} ${byOrigin(rest)}`
  } limit 1`.execute(reader)
  return rows[0] && toMessage(rows[0])
}

function byOrigin([side = '', ...origin]: readonly string[]) {
  const [direction = '', peer = ''] = side.split(' ')
  return sql`and "origin" = ${origin.join('\n')} and "peer" = ${peer}
    and "incoming" = ${direction === 'from' ? 1 : 0} order by "n" desc`
}

function toMessage(row: ArchiveTableRow): ArchivedMessage {
  const { owner, id, at, peer, stanza } = row
  return {
    ...{ owner, id, at, peer, stanza },
    incoming: row.incoming === 1,
    resource: row.resource ?? undefined,
    origin: row.origin ?? undefined,
    words: row.words ?? undefined,
  }
}
