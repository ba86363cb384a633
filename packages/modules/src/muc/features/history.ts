import type { Joining, Room, RoomFeature, Speaking } from '@tactus/core'
import { delayElement, integerField, NS_HINTS, parseDateTime } from '@tactus/stanza'
import { Stanza, type XmlElement } from '@tactus/xml'
import type { MucConfig } from '../config.ts'
import { type HistoryLine, historyStore } from '../store.ts'
import { isSubjectChange, NS_OCCUPANT_ID, NS_RETRACT } from '../wire.ts'

const lengthField = 'muc#maxhistoryfetch'

/**
 * What was said, for those who join (XEP-0045 §7.2.13, §7.2.14). Durable, so that a room that nobody was in for a year
 * knows its last words, and a line that was accepted is not lost with anything.
 */
export function history(config: (room: Room) => MucConfig): RoomFeature {
  return {
    name: 'history',
    fields: {
      [lengthField]: {
        kind: integerField({ min: 0, max: 1_000 }),
        label: 'Most messages of the history that somebody gets who comes in',
        initial: 20,
      },
    },
    info: (room) => [
      {
        var: lengthField,
        type: 'text-single',
        label: 'Most messages of the history',
        values: [String(lengthOf(room, config(room)))],
      },
    ],
    spoken(line) {
      takeBack(line)
      if (isKept(line)) add(line, config(line.room))
    },
    joined(joining) {
      send(joining, config(joining.room))
    },
  }
}

function lengthOf(room: Room, { history: most }: MucConfig): number {
  return Math.min(room.setting<number>(lengthField), most)
}

/** What says something: chat states and the like are of the moment. */
function isKept({ message }: Speaking): boolean {
  if (isSubjectChange(message) || message.hasChild('no-store', NS_HINTS)) return false
  return message.hasChild('body', message.ns) || message.hasChild('store', NS_HINTS)
}

function add({ room, message, id }: Speaking, config: MucConfig): void {
  const { scope } = room
  const length = lengthOf(room, config)
  const before = scope.get(historyStore) ?? []
  if (length === 0 && before.length === 0) return
  let lines = [...before, { id, at: scope.now, stanza: message.bytes }]
  if (lines.length > length) lines = lines.slice(lines.length - length)
  let bytes = lines.reduce((sum, { stanza }) => sum + stanza.length, 0)
  while (bytes > config.historyBytes) bytes -= lines.shift()?.stanza.length ?? bytes
  scope.set(historyStore, '', lines)
}

/** XEP-0424 §4: nobody who comes in gets what its sender took back (§5: the sender, by the id that the room gave it). */
function takeBack({ room: { scope }, message }: Speaking): void {
  const id = message.child('retract', NS_RETRACT)?.attrs.id
  if (id === undefined) return
  const lines = scope.get(historyStore) ?? []
  const by = occupantIdOf(message)
  const isTakenBack = (line: HistoryLine): boolean =>
    line.id === id && occupantIdOf(Stanza.parse(line.stanza)) === by
  const left = lines.filter((line) => !isTakenBack(line))
  if (left.length < lines.length) scope.set(historyStore, '', left)
}

function occupantIdOf(message: Stanza): string | undefined {
  return message.child('occupant-id', NS_OCCUPANT_ID)?.attrs.id
}

function send({ room, from, request }: Joining, config: MucConfig): void {
  const asked = readRequest(request)
  const { scope } = room
  const length = Math.min(lengthOf(room, config), asked.stanzas)
  if (length === 0) return
  const since = Math.max(asked.since, scope.now - asked.seconds * 1_000)
  const lines = (scope.get(historyStore) ?? []).filter(({ at }) => at >= since).slice(-length)
  for (const stanza of within(
    lines.map((line) => delayed(room, line)),
    asked.characters,
  ))
    room.tell(from, stanza)
}

/** §7.2.14: the newest that fit; characters count the whole stanza. */
function within(stanzas: readonly Stanza[], characters: number): readonly Stanza[] {
  let left = characters
  let first = stanzas.length
  while (first > 0) {
    left -= String(stanzas[first - 1]).length
    if (left < 0) break
    first -= 1
  }
  return stanzas.slice(first)
}

/** §7.2.13: in the room's name, which tells no real address. */
function delayed(room: Room, { at, stanza }: HistoryLine): Stanza {
  return Stanza.parse(stanza).append(delayElement({ from: room.jid, stamp: at }))
}

interface HistoryRequest {
  readonly stanzas: number
  readonly characters: number
  readonly seconds: number
  /** Wall clock, ms. */
  readonly since: number
}

/** What is no number asks for nothing special: a client's mistake is no reason to keep it out. */
function readRequest(request: XmlElement | undefined): HistoryRequest {
  const attrs = request?.getChildElements().find(({ name }) => name === 'history')?.attrs ?? {}
  const numberOf = (text: string | undefined): number =>
    text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : Number.POSITIVE_INFINITY
  return {
    stanzas: numberOf(attrs.maxstanzas),
    characters: numberOf(attrs.maxchars),
    seconds: numberOf(attrs.seconds),
    since: parseDateTime(attrs.since ?? '') ?? Number.NEGATIVE_INFINITY,
  }
}
