import type { Reader } from '../storage.ts'
import { archiveTable } from './archive-store.ts'

/** When the last message of an archive before a time was accepted, or the first after one, ms. */
export async function spokenAt(
  reader: Reader,
  owner: string,
  where: { readonly before: number } | { readonly after: number },
): Promise<number | undefined> {
  const all = reader.selectFrom(archiveTable).select('at').where('owner', '=', owner)
  const found =
    'before' in where
      ? all.where('at', '<', where.before).orderBy('at', 'desc')
      : all.where('at', '>', where.after).orderBy('at')
  const row = await found.limit(1).executeTakeFirst()
  return row && Number(row.at)
}
