import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Realm, type Speaker } from './realm.ts'

const home = 'verona.lit'
const away = 'mantua.lit'
const rooms = `conference.${home}`
const room = `balcony@${rooms}`
const muc = 'http://jabber.org/protocol/muc'
const limit = { timeout: 120_000 }

const enter = (speaker: Speaker, nick: string): void =>
  speaker.say(`<presence to='${room}/${nick}'><x xmlns='${muc}'/></presence>`)
const say = (speaker: Speaker, words: string): void =>
  speaker.say(`<message type='groupchat' to='${room}'><body>${words}</body></message>`)
const isSubject = '<subject'
const isAway = ["type='unavailable'", `from='${room}/romeo'`]
const status = (code: number) => `<status code='${code}'/>`

/** The server with the room vouches for the domain of its rooms, too. */
const names = [`DNS:${home}`, `DNS:${rooms}`]

/** Lines of the room and Romeo's departures, in the order in which somebody heard them, from a place in all of it. */
function told({ heard }: Speaker, from: number): readonly string[] {
  return heard.slice(from).flatMap((stanza) => {
    if (isAway.every((each) => stanza.includes(each))) return ['gone']
    return /<body>([^<]*)<\/body>/.exec(stanza)?.[1] ?? []
  })
}

/** Juliet and her nurse are in a room of their server, and so is Romeo, whose server is another one. */
async function gathered(realm: Realm) {
  realm.names.locate(rooms, realm.server(home).port('s2s'))
  const juliet = await realm.login(`juliet@${home}/balcony`)
  enter(juliet, 'juliet')
  await juliet.hears(status(201))
  juliet.say(
    `<iq type='set' id='c' to='${room}'><query xmlns='${muc}#owner'><x xmlns='jabber:x:data' type='submit'/></query></iq>`,
  )
  await juliet.hears("id='c'", "type='result'")
  const nurse = await realm.login(`nurse@${home}/house`)
  enter(nurse, 'nurse')
  await nurse.hears(isSubject)
  const romeo = await realm.login(`romeo@${away}/exile`)
  await comesIn(romeo, juliet, nurse)
  return { juliet, nurse }
}

const departures = new WeakMap<Speaker, Promise<string>>()
/** Romeo's next departure that nobody has been told of here, as somebody hears it. */
function departure(speaker: Speaker): Promise<string> {
  const awaited = departures.get(speaker) ?? speaker.hears(...isAway)
  departures.set(speaker, awaited)
  return awaited.finally(() => departures.delete(speaker))
}

/**
 * Romeo is in, and the others see him. Where his server cannot be reached within the time that a stanza waits for it, he
 * is out again at once, and tries once more.
 */
async function comesIn(romeo: Speaker, juliet: Speaker, nurse: Speaker): Promise<void> {
  const inside = romeo.hears(isSubject).then(() => true)
  do enter(romeo, 'romeo')
  while (!(await Promise.race([inside, departure(juliet).then(() => false)])))
  for (const other of [juliet, nurse]) await other.hears('<presence', `from='${room}/romeo'`)
}

/** His server is killed, as when a machine loses its power: it says nothing of who was where. */
async function killed(realm: Realm): Promise<() => Promise<void>> {
  const server = realm.server(away)
  const [door] = server.doors
  assert(door)
  await door.process.kill()
  server.forget(door.process)
  return async () => {
    await server.startStandalone()
    realm.names.locate(away, server.port('s2s'))
  }
}

test(
  'XEP-0045 §11.1: who is on a server that went away leaves the room, others notice no more of it, and it comes back',
  limit,
  async () => {
    const s2s = { timeouts: { delivery: '2s' } }
    await using realm = await Realm.of({ domain: home, names, s2s }, { domain: away })
    const { juliet, nurse } = await gathered(realm)
    const begin = await killed(realm)

    const lines = ['one', 'two', 'three']
    const before = new Map([juliet, nurse].map((other) => [other, other.heard.length]))
    for (const line of lines) say(juliet, line)
    for (const other of [juliet, nurse]) {
      const gone = await departure(other)
      assert(gone.includes(status(333)), gone)
      // Nobody put him out.
      assert(!gone.includes(status(307)), gone)
    }
    say(nurse, 'four')
    for (const other of [juliet, nurse]) {
      await other.hears('four')
      // Each line once and in order, and one departure, wherever it falls.
      const all = told(other, before.get(other) ?? 0)
      assert.deepEqual(
        all.filter((each) => each !== 'gone'),
        [...lines, 'four'],
      )
      assert.equal(all.filter((each) => each === 'gone').length, 1)
    }

    await begin()
    const romeo = await realm.login(`romeo@${away}/exile`)
    await comesIn(romeo, juliet, nurse)
    // What was said meanwhile is in the history.
    await romeo.hears('four', '<delay')
    say(romeo, 'five')
    for (const each of [juliet, nurse, romeo]) await each.hears('five')
  },
)

test(
  'XEP-0045 §11.1: who is not there any more when its server is back leaves by the first line',
  limit,
  async () => {
    await using realm = await Realm.of({ domain: home, names }, { domain: away })
    const { juliet, nurse } = await gathered(realm)
    const begin = await killed(realm)
    await begin()

    say(juliet, 'one')

    for (const other of [juliet, nurse]) assert((await departure(other)).includes(status(333)))
    const romeo = await realm.login(`romeo@${away}/garden`)
    await comesIn(romeo, juliet, nurse)
    say(juliet, 'two')
    for (const each of [juliet, nurse, romeo]) await each.hears('two')
  },
)
