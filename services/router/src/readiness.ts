import type { Engine } from '@tactus/cluster'
import type { Storage } from '@tactus/storage'
import type { Health } from '@tactus/telemetry'

/** Makes readiness depend on what a router needs to be of use: the bus, the store, and a part in the work. */
export function watchReadiness(health: Health, engine: Engine, storage: Storage): void {
  health.addCheck('bus', async () => {
    const { bus } = engine
    if (!bus) return 'not connected'
    await bus.instances()
    return undefined
  })
  health.addCheck('storage', async () => {
    await storage.ownership.incarnation()
    return undefined
  })
  health.addCheck('partitions', async () => {
    const status = engine.status()
    if (!status) return 'this router lost its place and begins again'
    if (status.partitions.length > 0) return undefined
    // Where there are more routers than partitions, one that has none is well and waits for its turn.
    const owners = await storage.ownership.partitions()
    const open = owners.filter(({ router }) => router === undefined).length
    return open > 0 ? `this router owns no partition and ${open} have no owner` : undefined
  })
}
