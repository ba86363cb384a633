import type { DiscoNode, DiscoNodeQuery, IqRequest } from '@tactus/core'
import { bare, type Jid, tryParseJid } from '@tactus/jid'
import {
  type DataForm,
  type FieldDefinition,
  type FormField,
  findForm,
  formElement,
  formTypeField,
  jidField,
  listField,
  NS_COMMANDS,
  offerForm,
  readForm,
  readSubmission,
  StanzaError,
  textField,
} from '@tactus/stanza'
import { type XmlElement, xml } from '@tactus/xml'
import { requireRoom } from '../admin.ts'
import type { Privilege } from '../permissions.ts'
import { type Rooms, RoomTurn } from '../room.ts'
import { destroyHat, type Hat, hatsOf, putHat, wear } from './hats.ts'

/** FORM_TYPE of all forms, and what stands before the names of the commands (XEP-0317 §3). */
const NS_HAT_COMMANDS = 'urn:xmpp:hats:commands'

type Form = Readonly<Record<string, FieldDefinition<unknown>>>
type Values = Readonly<Record<string, string | undefined>>

interface HatCommand {
  readonly title: string
  /** Who may run it; all who are in the room or belong to it where absent. */
  readonly privilege?: Privilege
  /** What is asked for; without, it is done at once. */
  readonly form?: (room: RoomTurn) => Form
  run(room: RoomTurn, values: Values): DataForm | undefined
}

const uriField = textField(250)
const required = { required: true } as const
const titleField = { kind: textField(100), label: 'Hat Title', ...required }

/** §3.2 to §3.7, by the last part of the name. */
const commands: Readonly<Record<string, HatCommand>> = {
  create: {
    title: 'Create or change a hat',
    privilege: 'own',
    form: () => ({
      'hats#title': titleField,
      'hats#uri': { kind: uriField, label: 'Hat URI', ...required },
      'hats#hue': { kind: textField(20), label: 'Hat Hue' },
    }),
    run(room, values) {
      putHat(room, readHat(values))
      return undefined
    },
  },
  destroy: {
    title: 'Destroy a hat',
    privilege: 'own',
    form: (room) => ({ 'hats#uri': choiceOf(room) }),
    run(room, values) {
      destroyHat(room, values['hats#uri'] ?? '')
      return undefined
    },
  },
  assign: {
    title: 'Assign a hat',
    privilege: 'administer',
    form: wearerForm,
    run: (room, values) => change(room, values, true),
  },
  unassign: {
    title: 'Remove a hat',
    privilege: 'administer',
    form: wearerForm,
    run: (room, values) => change(room, values, false),
  },
  list: {
    title: 'List hats',
    run: (room) => table(['hats#title', 'hats#uri', 'hats#hue'], hatsOf(room).hats.map(rowOf)),
  },
  'list-assigned': {
    title: 'List who wears hats',
    // SECURITY: V44. Addresses, of those who are away, too.
    privilege: 'read-members-unseen',
    run(room) {
      const { hats, worn } = hatsOf(room)
      const rows = Object.entries(worn).flatMap(([jid, uris]) =>
        hats
          .filter(({ uri }) => uris.includes(uri))
          .map((hat) => ({ 'hats#jid': jid, ...rowOf(hat) })),
      )
      return table(['hats#jid', 'hats#uri', 'hats#title', 'hats#hue'], rows)
    },
  },
}

function wearerForm(room: RoomTurn): Form {
  return {
    'hats#jid': { kind: jidField, label: 'User Address', ...required },
    'hats#uri': choiceOf(room),
  }
}

function choiceOf(room: RoomTurn): FieldDefinition<string> {
  const choices = hatsOf(room).hats.map(({ uri, title }) => [uri, title])
  return { kind: listField(Object.fromEntries(choices)), label: 'The hat', ...required }
}

function readHat(values: Values): Hat {
  const [title, uri, hue] = ['hats#title', 'hats#uri', 'hats#hue'].map((name) =>
    (values[name] ?? '').trim(),
  )
  if (!title || !uri || !URL.canParse(uri))
    throw new StanzaError('not-acceptable', 'A hat needs a title, and a URI of its own.')
  if (!hue) return { uri, title }
  if (!/^\d{1,3}(\.\d{1,15})?$/.test(hue) || Number(hue) > 360)
    throw new StanzaError('not-acceptable', 'A hue is an angle of 0 to 360 degrees.')
  return { uri, title, hue }
}

function change(room: RoomTurn, values: Values, isWorn: boolean): undefined {
  const jid = tryParseJid(values['hats#jid'] ?? '')
  if (!jid) throw new StanzaError('jid-malformed')
  wear(room, bare(jid), values['hats#uri'] ?? '', isWorn)
}

function rowOf({ uri, title, hue = '' }: Hat): Readonly<Record<string, string>> {
  return { 'hats#title': title, 'hats#uri': uri, 'hats#hue': hue }
}

function table(
  columns: readonly string[],
  rows: readonly Readonly<Record<string, string>>[],
): DataForm {
  const cell = (name: string, row: Readonly<Record<string, string>>): FormField => ({
    var: name,
    values: [row[name] ?? ''],
  })
  return {
    type: 'result',
    title: 'Hats',
    fields: [formTypeField(NS_HAT_COMMANDS)],
    reported: columns.map((name) => ({ var: name, type: 'text-single', label: name, values: [] })),
    items: rows.map((row) => columns.map((name) => cell(name, row))),
  }
}

/**
 * Runs one of the commands about hats (XEP-0317 §3). Nothing is kept between asking for a form and submitting it, so that
 * a submission needs no form before it (§3.3).
 *
 * @throws {StanzaError} `item-not-found` for another command, `forbidden`
 */
export function runHatCommand(rooms: Rooms, request: IqRequest): XmlElement {
  const room = requireRoom(rooms, request)
  const { payload, from, scope } = request
  const node: string = payload.attrs.node ?? ''
  const command = commandOf(node)
  if (!command) throw new StanzaError('item-not-found')
  if (!mayRun(room, from, command)) throw new StanzaError('forbidden')
  const given: string | undefined = payload.attrs.sessionid
  const session = given ?? Buffer.from(scope.random(12)).toString('base64url')
  const answer = (status: string, form?: DataForm): XmlElement =>
    xml(
      'command',
      { xmlns: NS_COMMANDS, node, sessionid: session, status },
      form && formElement(form),
    )
  if (payload.attrs.action === 'cancel') return answer('canceled')
  const submitted = findForm(payload)
  if (!command.form) return answer('completed', command.run(room, {}))
  const form = command.form(room)
  if (!submitted) {
    const asked = offerForm(NS_HAT_COMMANDS, form)
    return answer('executing', { ...asked, title: command.title })
  }
  const values = readSubmission(readForm(submitted), NS_HAT_COMMANDS, form)
  return answer('completed', command.run(room, values as Values))
}

function commandOf(node: string): HatCommand | undefined {
  const name = node.startsWith(`${NS_HAT_COMMANDS}:`) ? node.slice(NS_HAT_COMMANDS.length + 1) : ''
  return Object.hasOwn(commands, name) ? commands[name] : undefined
}

function mayRun(room: RoomTurn, from: Jid, { privilege }: HatCommand): boolean {
  const actor = room.actorOf(from)
  if (privilege !== undefined) return room.may(actor, privilege)
  return actor.role !== 'none' || !['none', 'outcast'].includes(actor.affiliation)
}

/** What XEP-0050 §2 shows of them: the list of those that one may run, and each of them. */
export function hatCommandNode(rooms: Rooms, query: DiscoNodeQuery): DiscoNode | undefined {
  const { scope, node, from } = query
  const room = RoomTurn.find(rooms, scope)
  if (!room) return undefined
  if (node === NS_COMMANDS) {
    const items = Object.entries(commands)
      .filter(([, command]) => mayRun(room, from, command))
      .map(([name, { title }]) => ({
        jid: room.jid,
        node: `${NS_HAT_COMMANDS}:${name}`,
        name: title,
      }))
    const identity = { category: 'automation', type: 'command-list', name: 'Commands' }
    return { info: { identities: [identity], features: [] }, items }
  }
  const command = commandOf(node)
  if (!command || !mayRun(room, from, command)) return undefined
  const identity = { category: 'automation', type: 'command-node', name: command.title }
  return { info: { identities: [identity], features: [NS_COMMANDS] }, items: [] }
}
