import type { JobDefinition, Scope } from '@tactus/core'
import { bare, isFull, type Jid } from '@tactus/jid'
import { NS_CLIENT } from '@tactus/stanza'
import type { Stanza } from '@tactus/xml'
import { xml } from '@tactus/xml'
import { findNode, peopleOf, type Service, savePeople } from '../service.ts'
import { tables } from '../store.ts'
import { NS_HOSTED } from './wire.ts'

const page = 500

interface Spec {
  readonly job: 'farewell'
  readonly account: string
  /** The last node that was told. */
  readonly after: Place
}

interface Place {
  readonly node: string
  readonly address: string
}

const first: Place = { address: '', node: '' }

/** As the database has them: one after another, whichever table they come from. */
function inOrder(one: Place, other: Place): number {
  if (one.address !== other.address) return one.address < other.address ? -1 : 1
  if (one.node === other.node) return 0
  return one.node < other.node ? -1 : 1
}

/**
 * An account that is deleted takes its affiliations and subscriptions along: whoever gets its name next is somebody else.
 *
 * Nodes are entities of their own, so each is told.
 */
export function sayFarewell(scope: Scope, after: Place = first): void {
  const spec: Spec = { job: 'farewell', account: scope.entity, after }
  scope.job('pubsub', 'pubsub farewell', spec)
}

/** Finds the nodes of services, some at a time. */
export const farewellJob: JobDefinition<Spec, readonly Place[]> = {
  async run({ account, after }, { reader }) {
    const listed = async (table: string, column: string): Promise<readonly Place[]> =>
      (await reader
        .selectFrom(`${table} as p`)
        .innerJoin(`${tables.nodes} as n`, (join) =>
          join.onRef('p.entity', '=', 'n.entity').onRef('p.node', '=', 'n.node'),
        )
        .select(['n.node', 'n.service as address'])
        .distinct()
        .where(`p.${column}`, '=', account)
        .where('n.service', '!=', '')
        .where((build) =>
          build.or([
            build('n.service', '>', after.address),
            build.and([build('n.service', '=', after.address), build('n.node', '>', after.node)]),
          ]),
        )
        .orderBy('n.service')
        .orderBy('n.node')
        .limit(page)
        .execute()) as unknown as readonly Place[]
    const all = [
      ...(await listed(tables.affiliations, 'jid')),
      ...(await listed(tables.subscriptions, 'person')),
    ]
    return all.sort(inOrder).slice(0, page)
  },
  done(scope, _spec, result) {
    if (!result.ok) return
    for (const { node, address } of result.value) {
      const attrs = { xmlns: NS_CLIENT, type: 'headline', from: scope.entity, to: address }
      const gone = xml('gone', { xmlns: NS_HOSTED, node })
      scope.send(xml('message', attrs, gone), { durable: true })
    }
    const last = result.value.at(-1)
    if (last && result.value.length === page) sayFarewell(scope, last)
  },
}

/** A node hears that of an account; in the name of a bare JID no client can speak. */
export function takeFarewell(service: Service, from: Jid, message: Stanza): boolean {
  const gone = message.child('gone', NS_HOSTED)
  if (!gone || isFull(from)) return false
  const node = findNode(service, gone.attrs.node ?? '')
  if (!node) return true
  const people = peopleOf(node)
  const affiliations = new Map(people.affiliations)
  affiliations.delete(from)
  const subscriptions = new Map(
    [...people.subscriptions].filter(([, { jid }]) => bare(jid as Jid) !== from),
  )
  savePeople(node, { affiliations, subscriptions })
  return true
}
