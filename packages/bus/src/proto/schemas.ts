import type {
  Command,
  CommandReply,
  Committed,
  Deliver,
  DeliverTarget,
  Gap,
  Half,
  InputFrame,
  Multicast,
  OutputFrame,
  Remote,
  SessionAck,
  SessionAsk,
  SessionClose,
  SessionEnable,
  SessionEnabled,
  SessionEnd,
  SessionFlow,
  SessionOpen,
  SessionOpened,
  SessionPause,
  SessionRefused,
  SessionResume,
  SessionResumed,
  SessionStanza,
  SessionState,
} from './frames.ts'
import {
  count,
  either,
  fields,
  flag,
  instant,
  list,
  optional,
  plain,
  type Shape,
  stanza,
  text,
  texts,
  tuple,
  word,
} from './shape.ts'

type Frame = InputFrame | OutputFrame
type Body<F> = Omit<F, 'kind'>
type Schemas = { readonly [K in Frame['kind']]: Shape<Body<Extract<Frame, { kind: K }>>> }

const fromSession = { entity: text, session: text, epoch: count, seq: count }
const stanzaOnItsWay = { stanza, id: text, at: instant, durable: flag, hops: count }

type Outcome = SessionResumed['outcome']
const resumption = either(
  'resumed',
  fields<Omit<Extract<Outcome, { resumed: true }>, 'resumed'>>({
    jid: text,
    epoch: count,
    h: count,
    seq: count,
    from: count,
    to: count,
    base: count,
  }),
  fields<Omit<Extract<Outcome, { resumed: false }>, 'resumed'>>({
    condition: text,
    h: optional(count),
  }),
)

type Result = CommandReply['result']
const commandResult = either(
  'ok',
  fields<Omit<Extract<Result, { ok: true }>, 'ok'>>({ output: plain }),
  fields<Omit<Extract<Result, { ok: false }>, 'ok'>>({ error: text, message: text }),
)

/**
 * The layout of every kind of frame, version 1.
 *
 * A released kind is never changed, because two releases run side by side: what needs another field is another kind,
 * sent once every live heartbeat announces it. `frozen-frames.test.ts` holds the layouts and an example of each.
 */
export const schemas: Schemas = {
  'session.open': fields<Body<SessionOpen>>({
    ...fromSession,
    cm: text,
    resource: optional(text),
    credentials: count,
    anonymous: flag,
    info: texts,
  }),
  'session.stanza': fields<Body<SessionStanza>>({ ...fromSession, stanza }),
  'session.enable': fields<Body<SessionEnable>>({
    ...fromSession,
    resume: flag,
    max: optional(count),
  }),
  'session.state': fields<Body<SessionState>>({
    ...fromSession,
    state: word('active', 'inactive'),
  }),
  'session.resume': fields<Body<SessionResume>>({
    entity: text,
    session: text,
    attempt: text,
    cm: text,
    h: count,
    info: texts,
  }),
  'session.close': fields<Body<SessionClose>>({
    ...fromSession,
    reason: word('closed', 'dropped', 'error'),
  }),
  'session.ack': fields<Body<SessionAck>>({ entity: text, session: text, epoch: count, n: count }),
  'session.flow': fields<Body<SessionFlow>>({
    entity: text,
    session: text,
    epoch: count,
    state: word('stalled', 'ready'),
    n: count,
  }),
  'session.ask': fields<Body<SessionAsk>>({
    entity: text,
    session: text,
    epoch: count,
    cm: text,
  }),
  half: fields<Body<Half>>({ entity: text, ...stanzaOnItsWay }),
  multicast: fields<Body<Multicast>>({ recipients: list(text), ...stanzaOnItsWay }),
  command: fields<Body<Command>>({
    entity: text,
    source: text,
    name: text,
    input: plain,
    replyTo: text,
  }),
  deliver: fields<Body<Deliver>>({
    stanza,
    targets: list(
      fields<DeliverTarget>({ session: text, epoch: count, n: count, to: optional(text) }),
    ),
  }),
  'session.opened': fields<Body<SessionOpened>>({ session: text, jid: text }),
  'session.refused': fields<Body<SessionRefused>>({
    session: text,
    condition: text,
    text: optional(text),
  }),
  'session.enabled': fields<Body<SessionEnabled>>({
    session: text,
    epoch: count,
    n: count,
    id: optional(text),
    max: optional(count),
  }),
  'session.resumed': fields<Body<SessionResumed>>({
    session: text,
    attempt: text,
    outcome: resumption,
  }),
  'session.end': fields<Body<SessionEnd>>({
    session: text,
    epoch: count,
    condition: optional(text),
    text: optional(text),
  }),
  'session.pause': fields<Body<SessionPause>>({ session: text, epoch: count, milliseconds: count }),
  committed: fields<Body<Committed>>({
    sessions: list(tuple<readonly [string, number, number]>(text, count, count)),
  }),
  gap: fields<Body<Gap>>({ session: text, epoch: count, expected: count }),
  remote: fields<Body<Remote>>({
    from: text,
    to: text,
    recipients: list(text),
    stanza,
    id: text,
    at: instant,
    durable: flag,
  }),
  'command.reply': fields<Body<CommandReply>>({ source: text, result: commandResult }),
}
