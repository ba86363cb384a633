import { type CommandDefinition, readCommand } from '@tactus/core'
import { parseElement } from '@tactus/xml'
import { z } from 'zod'
import { type FeedParts, feedDocument, isEntry, isFeed, modifiedAt, type Shown } from './feed.ts'
import { itemCalled, type OpenPage, payloadsOf, readOpenPage } from './page.ts'

const feed = readCommand({
  name: 'pubsub feed',
  internal: true,
  summary: 'Reads what everybody may read at a node, as an Atom feed.',
  input: z.object({
    address: z.string().max(3_071).meta({ description: 'An account, or a pubsub service.' }),
    node: z.string().min(1).max(1_024).meta({ description: 'The node.' }),
    after: z.string().max(1_024).optional().meta({ description: 'Last item of the page before.' }),
    max: z.int().min(1).max(1_000).meta({ description: 'Most entries of a page.' }),
    now: z.int().meta({ description: 'Wall clock, ms.' }),
    known: z.string().max(64).optional().meta({ description: 'Version that the asker has.' }),
    url: z.string().max(8_192).meta({ description: 'Where the feed is on the web.' }),
  }),
  output: z.object({
    /** Absent where nothing is to be seen. */
    version: z.string().nullable(),
    modified: z.int(),
    /** Null where the asker has it. */
    document: z.string().nullable(),
  }),
  async run({ reader, hosts }, input) {
    const absent = { version: null, modified: 0, document: null }
    if (!isServed(input.address, (host) => hosts.get(host) !== undefined)) return absent
    const page = await readOpenPage(reader, { ...input, after: input.after })
    if (!page) return absent
    const { version } = page
    const modified = modifiedAt(page)
    if (version === input.known) return { version, modified, document: null }
    const texts = await payloadsOf(reader, page, page.items)
    const shown = shownOf(page, texts)
    // What holds other things than entries is no feed.
    if (shown.length === 0 && texts.size > 0) return absent
    const metadata = await metadataOf(reader, page)
    const document = feedDocument({
      page,
      shown,
      metadata,
      address: input.address,
      urls: urlsOf(page, input),
    })
    return { version, modified, document }
  },
})

/** A host, an account of one, or a service below one. */
function isServed(address: string, isHost: (name: string) => boolean): boolean {
  const domain = address.slice(address.indexOf('@') + 1)
  return isHost(domain) || isHost(domain.slice(domain.indexOf('.') + 1))
}

function shownOf({ items }: OpenPage, texts: ReadonlyMap<number, string>): readonly Shown[] {
  return items.flatMap((item) => {
    const text = texts.get(item.seq)
    const payload = text === undefined ? undefined : parseElement(text)
    return payload && isEntry(payload) ? [{ item, payload }] : []
  })
}

async function metadataOf(
  reader: Parameters<typeof itemCalled>[0],
  page: OpenPage,
): Promise<FeedParts['metadata']> {
  const item = await itemCalled(reader, page, '0')
  const text = item && (await payloadsOf(reader, page, [item])).get(item.seq)
  const payload = text === undefined ? undefined : parseElement(text)
  return payload && isFeed(payload) ? payload : undefined
}

function urlsOf(
  { items, isLast }: OpenPage,
  { url, after }: { readonly url: string; readonly after?: string | undefined },
): FeedParts['urls'] {
  const pageAfter = (id: string): string => `${url}?after=${encodeURIComponent(id)}`
  const last = items.at(-1)
  return {
    self: after === undefined ? url : pageAfter(after),
    next: isLast || !last ? undefined : pageAfter(last.id),
  }
}

/** What others of the server ask about nodes. */
export const webCommands: readonly CommandDefinition[] = [feed]
