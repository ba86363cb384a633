import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { ConfigError, type ConfigSources, loadConfig } from '../src/index.ts'

/** What is wrong with a configuration, line by line; fails when nothing is. */
export function problemsOf(sources: ConfigSources): readonly string[] {
  try {
    loadConfig({ environment: {}, ...sources })
  } catch (error) {
    assert(error instanceof ConfigError, String(error))
    return error.message.split('\n')
  }
  assert.fail('the configuration was accepted')
}

/** A folder with these files, which ends with the test. */
export function folderWith(t: TestContext, files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'tactus-config-'))
  t.after(() => rmSync(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}
