import type { InputFrame, OutputFrame } from '@tactus/bus'
import { Stanza } from '@tactus/xml'

type Frame = InputFrame | OutputFrame
type Examples = { readonly [K in Frame['kind']]: readonly Extract<Frame, { kind: K }>[] }

const from = { entity: 'romeo@montague.example', session: 's1', epoch: 2, seq: 7 }
const stanza = Stanza.parse(
  "<message xmlns='jabber:client' to='juliet@capulet.example' type='chat'><body>Wherefore? ä &lt;3</body></message>",
)
const under = { stanza, id: 'i1', at: 1_795_000_000_000, durable: true, hops: 16 }

/** Every kind of frame, with its optional parts and without. */
export const examples: Examples = {
  'session.open': [
    {
      kind: 'session.open',
      ...from,
      cm: 'cm1',
      resource: 'balcony',
      credentials: 3,
      anonymous: false,
      info: { address: '192.0.2.1', mechanism: 'SCRAM-SHA-256' },
    },
    {
      kind: 'session.open',
      ...from,
      cm: 'cm1',
      resource: undefined,
      credentials: 0,
      anonymous: true,
      info: {},
    },
  ],
  'session.stanza': [{ kind: 'session.stanza', ...from, stanza }],
  'session.enable': [
    { kind: 'session.enable', ...from, resume: true, max: 300 },
    { kind: 'session.enable', ...from, resume: false, max: undefined },
  ],
  'session.state': [
    { kind: 'session.state', ...from, state: 'active' },
    { kind: 'session.state', ...from, state: 'inactive' },
  ],
  'session.resume': [
    {
      kind: 'session.resume',
      entity: from.entity,
      session: 's1',
      attempt: 'a1',
      cm: 'cm2',
      h: 4_294_967_295,
      info: { address: '2001:db8::1' },
    },
  ],
  'session.close': [
    { kind: 'session.close', ...from, reason: 'closed' },
    { kind: 'session.close', ...from, reason: 'dropped' },
  ],
  'session.ack': [
    { kind: 'session.ack', entity: from.entity, session: 's1', epoch: 2, n: 5_000_000_000 },
  ],
  'session.flow': [
    {
      kind: 'session.flow',
      entity: from.entity,
      session: 's1',
      epoch: 2,
      state: 'stalled',
      n: 9,
    },
  ],
  'session.ask': [{ kind: 'session.ask', entity: from.entity, session: 's1', epoch: 2, cm: 'cm2' }],
  half: [{ kind: 'half', entity: 'juliet@capulet.example', ...under }],
  multicast: [
    {
      kind: 'multicast',
      recipients: ['juliet@capulet.example', 'nurse@capulet.example/hall'],
      ...under,
    },
  ],
  command: [
    {
      kind: 'command',
      entity: from.entity,
      source: 'c1',
      name: 'account.create',
      input: { name: 'romeo', keys: [1, null, 'x', { deep: true }] },
      replyTo: 'control1',
    },
  ],
  deliver: [
    {
      kind: 'deliver',
      stanza,
      targets: [
        { session: 's1', epoch: 1, n: 1, to: 'juliet@capulet.example/balcony' },
        { session: 's2', epoch: 4, n: 300, to: undefined },
      ],
    },
  ],
  'session.opened': [{ kind: 'session.opened', session: 's1', jid: 'romeo@montague.example/x' }],
  'session.refused': [
    { kind: 'session.refused', session: 's1', condition: 'conflict', text: 'taken' },
    { kind: 'session.refused', session: 's1', condition: 'not-allowed', text: undefined },
  ],
  'session.enabled': [
    { kind: 'session.enabled', session: 's1', epoch: 1, n: 12, id: 'r1', max: 600 },
    { kind: 'session.enabled', session: 's1', epoch: 1, n: 12, id: undefined, max: undefined },
  ],
  'session.resumed': [
    {
      kind: 'session.resumed',
      session: 's1',
      attempt: 'a1',
      outcome: {
        resumed: true,
        jid: 'romeo@montague.example/x',
        epoch: 3,
        h: 17,
        seq: 20,
        from: 4,
        to: 9,
        base: 2,
      },
    },
    {
      kind: 'session.resumed',
      session: 's1',
      attempt: 'a1',
      outcome: { resumed: false, condition: 'item-not-found', h: 17 },
    },
    {
      kind: 'session.resumed',
      session: 's1',
      attempt: 'a1',
      outcome: { resumed: false, condition: 'item-not-found', h: undefined },
    },
  ],
  'session.pause': [{ kind: 'session.pause', session: 's1', epoch: 1, milliseconds: 1_500 }],
  'session.end': [
    { kind: 'session.end', session: 's1', epoch: 1, condition: 'conflict', text: 'replaced' },
    { kind: 'session.end', session: 's1', epoch: 1, condition: undefined, text: undefined },
  ],
  committed: [
    {
      kind: 'committed',
      sessions: [
        ['s1', 7, 6],
        ['s2', 1, 0],
      ],
    },
  ],
  gap: [{ kind: 'gap', session: 's1', epoch: 1, expected: 8 }],
  remote: [
    {
      kind: 'remote',
      from: 'montague.example',
      to: 'verona.example',
      recipients: ['prince@verona.example', 'watch@verona.example/night'],
      stanza,
      id: 'i1',
      at: 1_795_000_000_000,
      durable: true,
    },
  ],
  'command.reply': [
    { kind: 'command.reply', source: 'c1', result: { ok: true, output: { id: 1 } } },
    {
      kind: 'command.reply',
      source: 'c1',
      result: { ok: false, error: 'not-found', message: 'no such account' },
    },
  ],
}

/** All examples in one list. */
export const allExamples: readonly Frame[] = Object.values(examples).flat()

/** A frame that can be compared: stanzas as text. */
export const comparable = (frame: Frame): unknown =>
  'stanza' in frame ? { ...frame, stanza: frame.stanza.toString() } : frame
