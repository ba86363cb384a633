import { type KeyValueStore, keyValueStore, type Reader } from '@tactus/storage'

/** The fields of XEP-0055 §2.1; what was not filled in is empty. */
export interface Card {
  readonly nick: string
  readonly first: string
  readonly last: string
  readonly email: string
}

/** Their names, in the order in which they are shown. */
export const fieldNames: readonly (keyof Card)[] = ['nick', 'first', 'last', 'email']

/** Those that are in a directory, by its domain; the key is the account. `…_folded` is what is searched. */
export const cardStore: KeyValueStore<
  Card & {
    readonly nick_folded: string
    readonly first_folded: string
    readonly last_folded: string
    readonly email_folded: string
  }
> = keyValueStore({
  name: 'user-search',
  table: 'user_search_card',
  columns: {
    nick: 'text',
    first: 'text',
    last: 'text',
    email: 'text',
    nick_folded: 'text',
    first_folded: 'text',
    last_folded: 'text',
    email_folded: 'text',
  },
})

/** Which page of a search. */
export interface Search {
  /** The domain of the directory. */
  readonly directory: string
  readonly terms: Partial<Card>
  /** The account after which the page begins. */
  readonly after: string
  readonly max: number
}

/** Somebody who was found. */
export interface Found {
  readonly jid: string
  readonly card: Card
}

/** Text as it is compared: whoever looks for somebody need not know how they write themselves. */
export function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase()
}

/** A page of those whose fields contain all terms, by account, and one more where there are more. */
export async function findCards(
  reader: Reader,
  { directory, terms, after, max }: Search,
): Promise<readonly Found[]> {
  let query = reader
    .selectFrom(cardStore.table)
    .selectAll()
    .where('entity', '=', directory)
    .where('key', '>', after)
  for (const name of fieldNames) {
    const term = terms[name]
    if (term !== undefined) query = query.where(`${name}_folded`, 'like', `%${pattern(term)}%`)
  }
  const rows = await query
    .orderBy('key')
    .limit(max + 1)
    .execute()
  return rows.map((row) => {
    const { key, nick, first, last, email } = row as unknown as Card & { readonly key: string }
    return { jid: key, card: { nick, first, last, email } }
  })
}

/** SECURITY: nobody searches by patterns of their own; what would be one stands for any one character. */
function pattern(term: string): string {
  return fold(term).replaceAll(/[%\\]/g, '_')
}
