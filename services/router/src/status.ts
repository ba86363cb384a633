import type { Bus } from '@tactus/bus'
import { partitionStream } from '@tactus/cluster'
import type { ClusterStatus } from '@tactus/core'
import type { Storage } from '@tactus/storage'

/** Reads who owns what and what waits, from the store and the bus. */
export async function clusterStatus(bus: Bus, storage: Storage): Promise<ClusterStatus> {
  const [owners, instances] = await Promise.all([storage.ownership.partitions(), bus.instances()])
  const streams = owners.map(({ partition }) => partitionStream(partition))
  const extents = await bus.extent(streams)
  return {
    incarnation: bus.incarnation,
    instances: instances.map(({ id, role, info }) => ({
      id,
      role,
      info: Object.entries(info)
        .map(([key, value]) => `${key}=${value}`)
        .join(' '),
    })),
    partitions: owners.map(({ partition, router }) => ({
      partition,
      router: router ?? null,
      waiting: extents.get(partitionStream(partition))?.length ?? 0,
    })),
  }
}
