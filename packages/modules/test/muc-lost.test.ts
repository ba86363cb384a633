import assert from 'node:assert/strict'
import { type Client, story } from '@tactus/testkit'
import { cauldron, configure, gathered, join, newRoom, service, text } from './muc/scene.ts'

const memoryOnly = 'it loses the bus'

/** The addresses that the list of rooms names. */
async function listed(client: Client, id: string): Promise<readonly string[]> {
  await client.send`<iq type='get' id='${id}' to='${service}'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>`
  const answer = text(await client.hears(id))
  return Array.from(answer.matchAll(/<item jid="([^"]+)"/g), ([, jid]) => jid ?? '')
}

story(
  'temporary rooms go with the bus that knew their occupants, persistent ones do not',
  { memoryOnly },
  async (tale) => {
    const [temporary, kept, changed] = [newRoom(), newRoom(), newRoom()]
    const [crone] = await gathered(tale, temporary, { firstwitch: cauldron })
    assert(crone)
    for (const [room, persistent] of [
      [kept, '1'],
      [changed, '1'],
    ] as const) {
      await join(crone, room, 'firstwitch')
      await configure(crone, room, { 'muc#roomconfig_persistentroom': persistent })
    }
    crone.drain()
    assert.deepEqual((await listed(crone, '1')).toSorted(), [temporary, kept, changed].toSorted())

    await tale.loseBus()

    const back = await tale.online(cauldron)
    // Somebody is back before anybody asks for the list.
    await join(back, changed, 'firstwitch')
    await configure(back, changed, { 'muc#roomconfig_persistentroom': '0' })
    const another = newRoom()
    await join(back, another, 'firstwitch')
    await configure(back, another)
    back.drain()
    assert.deepEqual((await listed(back, '2')).toSorted(), [kept, changed, another].toSorted())
    const { rooms } = (await tale.command('room list', {})) as { rooms: { jid: string }[] }
    assert.deepEqual(rooms.map(({ jid }) => jid).toSorted(), [kept, changed, another].toSorted())
  },
)

story('the list does not show them, and asking for it is enough', { memoryOnly }, async (tale) => {
  const room = newRoom()
  await gathered(tale, room, { firstwitch: cauldron })
  await tale.loseBus()
  const back = await tale.online(cauldron)
  assert.deepEqual(await listed(back, '1'), [])
  await tale.settle()
  assert.deepEqual(await tale.command('room list', {}), { rooms: [] })
})
