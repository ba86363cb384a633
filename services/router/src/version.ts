import { readFileSync } from 'node:fs'

/** The version of this build, as package.json at the root says. */
export function productVersion(): string {
  const manifest = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}
