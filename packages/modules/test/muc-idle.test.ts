import assert from 'node:assert/strict'
import { story } from '@tactus/testkit'
import { broom, cauldron, configure, gathered, newRoom } from './muc/scene.ts'

story(
  'design §2: a room that nobody is in costs no memory, only rows',
  { memoryOnly: 'it looks at the bus' },
  async (tale) => {
    const room = newRoom()
    const [crone, hecate] = await gathered(tale, room, { firstwitch: cauldron, secondwitch: broom })
    assert(crone && hecate)
    await configure(crone, room, { 'muc#roomconfig_persistentroom': '1' })
    await hecate.send`<message to='${room}' type='groupchat' id='1'><body>Thrice the brinded cat.</body></message>`
    assert.notDeepEqual(await tale.live(room), [])

    for (const witch of [crone, hecate])
      await witch.send`<presence to='${room}/x' type='unavailable'/>`
    await tale.pass(60_000)

    assert.deepEqual(await tale.live(room), [])
  },
)
