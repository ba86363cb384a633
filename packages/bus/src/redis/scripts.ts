import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

/** A Lua script as Redis gets it. */
export interface Script {
  readonly lua: string
  /** How Redis names it once it is loaded. */
  readonly sha: string
}

const folder = new URL('../../scripts/', import.meta.url)
const text = (file: string): string => readFileSync(new URL(file, folder), 'utf8')

function script(file: string): Script {
  const lua = text(file).replace(/^--@include (.+)$/gm, (_, included: string) => text(included))
  return { lua, sha: createHash('sha1').update(lua).digest('hex') }
}

/** All scripts; the number in a file's name is its number of keys. */
export const scripts = {
  beat: script('beat-4.lua'),
  claim: script('claim-2.lua'),
  commit: script('commit-3.lua'),
  extent: script('extent-n.lua'),
  fence: script('fence-3.lua'),
  open: script('open-2.lua'),
  publish: script('publish-2.lua'),
  queue: script('queue-2.lua'),
  replace: script('replace-2.lua'),
} satisfies Record<string, Script> as Readonly<
  Record<
    'beat' | 'claim' | 'commit' | 'extent' | 'fence' | 'open' | 'publish' | 'queue' | 'replace',
    Script
  >
>
