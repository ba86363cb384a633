import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OutputFrame } from '@tactus/bus'
import type { BareJid } from '@tactus/jid'
import { Stanza } from '@tactus/xml'
import { hostDirectory } from '../src/hosts.ts'
import { Domains, type ServiceDefinition } from '../src/services.ts'
import { account, Owner, Source } from './support/owner.ts'

const domain = 'cliff.echo.capulet.example'
const hosts = hostDirectory(
  ['capulet.example', 'rooms.capulet.example', 'montague.example'].map((name) => ({
    name,
    anonymous: false,
    registration: 'closed' as const,
    modules: {},
  })),
)
const service = (name: string, subdomain: string): ServiceDefinition => ({
  name,
  title: name,
  subdomain: (host) => (host.name === 'montague.example' ? undefined : subdomain),
  receive() {},
})

test('a domain is a host’s, or below one that has such a service', () => {
  const domains = new Domains(hosts)
  domains.add(service('muc', 'rooms'))
  domains.add(service('search', 'find.people'))

  assert.equal(domains.get('capulet.example')?.service, undefined)
  assert.equal(domains.get('find.people.capulet.example')?.service?.name, 'search')
  assert.equal(domains.get('find.people.capulet.example')?.host.name, 'capulet.example')
  assert.equal(domains.get('rooms.capulet.example')?.service, undefined, 'a host goes first')
  for (const name of ['rooms.montague.example', 'people.capulet.example', 'example', 'x'])
    assert.equal(domains.get(name), undefined, name)
  assert.deepEqual(
    domains
      .of({ ...hosts.list()[0], name: 'capulet.example' as BareJid } as never)
      .map((one) => one.domain),
    ['rooms.capulet.example', 'find.people.capulet.example'],
  )
  assert.throws(() => domains.add(service('muc', 'x')), /two modules add a service called muc/)
})

const delivered = (frames: readonly OutputFrame[]): readonly string[] =>
  frames.flatMap((frame) =>
    frame.kind === 'deliver'
      ? [
          `${frame.targets.map(({ session, to }) => `${session} ${to ?? ''}`).join(', ')}: ${frame.stanza}`,
        ]
      : [],
  )

async function bind(owner: Owner, ...resources: readonly string[]): Promise<readonly Source[]> {
  const sources = resources.map((name) => new Source(name))
  for (const source of sources) await owner.feed(source.open(source.session))
  await owner.heard()
  return sources
}

test('requests go to the handlers of the service and of what lives there', async () => {
  await using owner = await Owner.open()
  const [source] = await bind(owner, 'a')
  assert(source)

  await owner.feed(source.stanza(`<iq type='get' id='1' to='${domain}'><x xmlns='urn:x'/></iq>`))
  await owner.feed(source.stanza(`<iq type='get' id='2' to='e@${domain}'><x xmlns='urn:x'/></iq>`))
  await owner.feed(source.stanza(`<iq type='get' id='3' to='e@${domain}'><y xmlns='urn:x'/></iq>`))
  const [first, second, third] = delivered(await owner.heard())
  assert.match(first ?? '', /type="result" id="1".*<service|<service.*/)
  assert.match(second ?? '', /<entity/)
  assert.match(third ?? '', /<service-unavailable/)
})

test('what a service holds is spread: its entities take what is for its own address, wherever it comes from', async () => {
  await using owner = await Owner.open()
  const [source] = await bind(owner, 'a')
  assert(source)
  const request = (id: string) =>
    `<iq type='get' id='${id}' to='${domain}'><x xmlns='urn:x' of='deep'/></iq>`
  const here = /type='result' id='[12]'.*entity='deep@cliff.echo.capulet.example'/

  await owner.feed(source.stanza(request('1')))
  assert.match(delivered(await owner.heard())[0] ?? '', here)

  // As another server's connection manager has it, which knows addresses only.
  const stanza = Stanza.parse(request('2'), 'jabber:client').with({ from: `${account}/a` })
  const way = { id: 'far', at: 1, durable: false, hops: 16 }
  await owner.feed({ kind: 'half', entity: domain, stanza, ...way })
  const [answer = ''] = delivered(await owner.heard())
  assert.match(answer, here)
  assert.match(answer, new RegExp(`from='${domain}'`))
  assert.deepEqual(owner.problems, [])
})

test('design §4: one line for many is one frame, kept once, with `to` filled in at the end', async () => {
  await using owner = await Owner.open()
  const [source] = await bind(owner, 'a', 'b', 'c')
  const romeo = new Source('r', 'romeo@montague.example')
  await owner.feed(romeo.open('r'))
  await owner.heard()
  assert(source)

  await owner.feed(
    source.stanza(`<message type='groupchat' to='e@${domain}'><body>x</body></message>`),
  )

  const frames = delivered(await owner.heard())
  assert.equal(frames.length, 1, frames.join('\n'))
  const [targets = '', line = ''] = frames[0]?.split(': ') ?? []
  assert.deepEqual(targets.split(', ').sort(), [
    'a juliet@capulet.example/a',
    'b juliet@capulet.example/b',
    'c juliet@capulet.example/c',
    'r romeo@montague.example/r',
  ])
  assert.doesNotMatch(line, / to=/)
  assert.deepEqual(owner.problems, [])
})

test('RFC 6121 §8.5.3.2.1: a resource that is gone keeps nothing from the others', async () => {
  await using owner = await Owner.open()
  const [source] = await bind(owner, 'c')
  assert(source)

  await owner.feed(
    source.stanza(`<message type='groupchat' to='e@${domain}'><body>x</body></message>`),
  )

  assert.equal(delivered(await owner.heard()).length, 1)
})

test('a service that a host does not have is as far away as any other domain', async () => {
  await using owner = await Owner.open()
  const [source] = await bind(owner, 'a')
  assert(source)

  await owner.feed(
    source.stanza("<message to='e@cliff.echo.montague.example'><body>x</body></message>"),
  )

  assert.match(delivered(await owner.heard())[0] ?? '', /remote-server-not-found/)
})
