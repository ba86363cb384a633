import { type RawBuilder, sql } from 'kysely'
import type { Reader } from '../storage.ts'

/** A place in the order of conversations: by last activity, the newest first. */
export interface InboxPlace {
  readonly at: number
  readonly peer: string
}

/** Which conversations are wanted. */
export interface InboxPageRequest {
  readonly account: string
  readonly unreadOnly: boolean
  /** With their last messages. */
  readonly messages: boolean
  readonly max: number
  /** Bytes of messages at most; the first conversation comes whatever its size is. */
  readonly bytes: number
  /** Exclusive bounds. */
  readonly after: InboxPlace | undefined
  readonly before: InboxPlace | undefined
  /** The end of the list rather than its beginning. */
  readonly fromEnd: boolean
}

/** One conversation of a page. */
export interface Conversation extends InboxPlace {
  readonly unread: number
  /** Id of what was archived of it last. */
  readonly last: string
  /** Its last message; undefined where it was not asked for, or is not in the archive any more. */
  readonly message:
    | { readonly id: string; readonly at: number; readonly stanza: Uint8Array }
    | undefined
}

/** What there is in an inbox: conversations, those with unread messages, and unread messages. */
export interface InboxTotals {
  readonly total: number
  readonly unread: number
  readonly messages: number
}

interface PageRow {
  readonly key: string
  readonly at: number
  readonly last: string
  readonly unread: number
  readonly message: string
  readonly stanza: Uint8Array | null
  readonly archived: number | null
}

/** Reads a page, the newest conversation first. Its cost is that of the page, however many messages there are. */
export async function readInboxPage(
  reader: Reader,
  page: InboxPageRequest,
): Promise<readonly Conversation[]> {
  if (page.max === 0) return []
  const order = (of: string): RawBuilder<unknown> =>
    page.fromEnd
      ? sql`order by ${sql.ref(`${of}.at`)}, ${sql.ref(`${of}.key`)}`
      : sql`order by ${sql.ref(`${of}.at`)} desc, ${sql.ref(`${of}.key`)} desc`
  const where = sql.join(conditions(page), sql` and `)
  const found = sql`(select * from "inbox" where ${where} ${order('inbox')} limit ${page.max}) as "found"`
  const { rows } = await sql<PageRow>`select * from (
      select "found".*, "archive"."stanza", "archive"."at" as "archived",
        sum(coalesce(length("archive"."stanza"), 0)) over (${order('found')})
          - coalesce(length("archive"."stanza"), 0) as "ahead"
      from ${found} left join "archive" on ${
        page.messages
          ? sql`"archive"."owner" = "found"."owner" and "archive"."id" = "found"."message"`
          : sql`1 = 0`
      }
    ) as "page" where "ahead" < ${page.bytes} ${order('page')}`.execute(reader)
  const conversations = rows.map(toConversation)
  return page.fromEnd ? conversations.toReversed() : conversations
}

/** Counts an inbox; its size is bounded, and what is read is left out of the second count by its index. */
export async function inboxTotals(reader: Reader, account: string): Promise<InboxTotals> {
  const count = async (what: RawBuilder<unknown>, unread: RawBuilder<unknown>) => {
    const { rows } = await sql<{ count: number; sum: number }>`select ${what} from "inbox"
      where "entity" = ${account} ${unread}`.execute(reader)
    return rows[0]
  }
  const all = await count(sql`count(*) as "count"`, sql``)
  const unread = await count(
    sql`count(*) as "count", coalesce(sum("unread"), 0) as "sum"`,
    sql`and "unread" > 0`,
  )
  return {
    total: Number(all?.count ?? 0),
    unread: Number(unread?.count ?? 0),
    messages: Number(unread?.sum ?? 0),
  }
}

/** The conversations, oldest first, that are more than an inbox keeps; `most` of them. */
export async function superfluousConversations(
  reader: Reader,
  account: string,
  kept: number,
  most: number,
): Promise<readonly InboxPlace[]> {
  const { total } = await inboxTotals(reader, account)
  const limit = Math.min(most, total - kept)
  if (limit <= 0) return []
  const { rows } = await sql<{ key: string; at: number }>`select "key", "at" from "inbox"
    where "entity" = ${account} order by "at", "key" limit ${limit}`.execute(reader)
  return rows.map(({ key, at }) => ({ at, peer: key }))
}

function conditions({ account, unreadOnly, after, before }: InboxPageRequest) {
  const all = [sql`"entity" = ${account}`]
  if (unreadOnly) all.push(sql`"unread" > 0`)
  if (after) all.push(sql`("at", "key") < (${after.at}, ${after.peer})`)
  if (before) all.push(sql`("at", "key") > (${before.at}, ${before.peer})`)
  return all
}

function toConversation(row: PageRow): Conversation {
  const { key, at, last, unread, message, stanza, archived } = row
  return {
    peer: key,
    at,
    last,
    unread,
    message: stanza === null ? undefined : { id: message, at: archived ?? at, stanza },
  }
}
