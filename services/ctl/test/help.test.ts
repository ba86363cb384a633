import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commandCatalogue } from '@tactus/router'
import { commandHelp, help } from '../src/help.ts'
import { localCommands } from '../src/local-commands.ts'

const commands = commandCatalogue().list()

test('help: every command with its sentence, internal ones excepted', () => {
  const text = help(commands)
  for (const { name, summary, internal } of commands) {
    assert.equal(text.includes(`  ${name}`), internal !== true, name)
    if (!internal) assert.ok(text.includes(`      ${summary}`), name)
  }
  for (const { name } of localCommands) assert.ok(text.includes(`  ${name}\n`), name)
})

test('help on a command: its usage, its sentence, its arguments', () => {
  const text = commandHelp(commands, ['user', 'add'])
  assert.match(text, /^tactusctl user add JID --password PASSWORD\n\nCreates an account\.\n/)
  assert.match(text, /^ {2}JID {2}Address of the account/m)
  assert.match(text, /^ {2}--password {2}The password\.$/m)
  assert.match(commandHelp(commands, ['config', 'check']), /^tactusctl config check\n/)
})

test('help on what is no command names those that are alike', () => {
  assert.throws(() => commandHelp(commands, ['user', 'dance']), { message: /there is: user add/ })
})
