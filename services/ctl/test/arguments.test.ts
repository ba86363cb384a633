import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CommandDefinition, readCommand } from '@tactus/core'
import { commandCatalogue } from '@tactus/router'
import { z } from 'zod'
import { findCommand, readArguments, usage } from '../src/arguments.ts'

const commands = commandCatalogue().list()

const sample: CommandDefinition = readCommand({
  name: 'letter send',
  summary: 'Sends a letter.',
  input: z.object({
    seal: z.boolean().default(false),
    copies: z.coerce.number().int().default(1),
    to: z.string().meta({ positional: true }),
    by: z.string().optional().meta({ positional: true }),
  }),
  output: z.null(),
  run: () => Promise.resolve(null),
})

/** What a person typed, as the command's input. */
const read = (line: string): unknown => readArguments(sample, line.split(' ').filter(Boolean))

test('usage: positional words first, what may be left out in brackets, switches without a value', () => {
  assert.equal(usage(sample), 'letter send TO [BY] [--seal] [--copies COPIES]')
})

test('arguments: words and options in any order', () => {
  const expected = { to: 'romeo', by: 'friar', seal: true, copies: '2' }
  assert.deepEqual(read('romeo friar --seal --copies 2'), expected)
  assert.deepEqual(read('--copies=2 romeo --seal friar'), expected)
})

test('arguments: what is missing, too much or unknown is told with the usage', () => {
  for (const [line, told] of [
    ['', 'missing to; usage: tactusctl letter send TO'],
    ['a b c', 'unexpected "c"; usage: tactusctl letter send TO'],
    ['a --wax', "Unknown option '--wax'; usage: tactusctl letter send TO"],
    ['a --copies', 'usage: tactusctl letter send TO'],
  ] as const)
    assert.throws(
      () => read(line),
      ({ code, message }: { code: string; message: string }) =>
        code === 'invalid' && message.includes(told),
      line,
    )
})

test('every option of every command that wants a number takes one', () => {
  const given = readArguments(findCommand(commands, ['user', 'list']).command, ['--limit', '5'])
  assert.deepEqual(given, { limit: '5' })
})

test('a password is asked for, never its keys', () => {
  const { command } = findCommand(commands, ['user', 'add'])
  assert.equal(usage(command), 'user add JID --password PASSWORD')
})

test('commands: found by their words, what follows is theirs', () => {
  const { command, rest } = findCommand(commands, ['session', 'kick', 'a@b/c'])
  assert.equal(command.name, 'session kick')
  assert.deepEqual(rest, ['a@b/c'])
})

test('commands: one that is not there is told with those that begin alike', () => {
  assert.throws(() => findCommand(commands, ['user', 'ad']), {
    code: 'not-found',
    message: /no command "user ad"; there is: user add, /,
  })
  assert.throws(() => findCommand(commands, ['dance']), { message: /see tactusctl --help/ })
})

test('commands: internal ones are not offered', () => {
  assert.throws(() => findCommand(commands, ['account.register']), { code: 'not-found' })
})
