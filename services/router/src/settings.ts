import { createHash } from 'node:crypto'
import { type Config, ConfigError } from '@tactus/config'
import type { ClusterSettings, Storage } from '@tactus/storage'

/**
 * What releases that share a cluster's data must agree on.
 *
 * Raised only with a change that the release before could not work beside: migrations expand first and contract a
 * release later, so an ordinary one leaves it alone and instances can be replaced one by one.
 */
export const compatVersion = 1

/** What a cluster is made with; another value in one process would mix cells (design §3.12). */
export function clusterSettings({ cluster }: Config): ClusterSettings {
  const secret = cluster.secret?.reveal() ?? ''
  return {
    cluster: cluster.id,
    partitions: cluster.partitions,
    // Only to compare: a fingerprint tells nothing of the secret.
    secretFingerprint: createHash('sha256')
      .update(`tactus cluster ${secret}`)
      .digest('hex')
      .slice(0, 16),
  }
}

/** @throws {ConfigError} naming what differs from the values that the cluster was made with */
export async function checkSettings(storage: Storage, config: Config): Promise<void> {
  const mine = clusterSettings(config)
  const stored = await storage.ownership.settings(mine)
  const names: Readonly<Record<keyof ClusterSettings, string>> = {
    cluster: 'cluster.id',
    partitions: 'cluster.partitions',
    secretFingerprint: 'cluster.secret',
  }
  const problems = (Object.keys(names) as (keyof ClusterSettings)[])
    .filter((key) => mine[key] !== stored[key])
    .map((key) => ({
      origin: undefined,
      path: names[key],
      message:
        key === 'secretFingerprint'
          ? 'is not the secret that this cluster was made with'
          : `is ${mine[key]}, but this cluster was made with ${stored[key]}`,
    }))
  if (problems.length > 0) throw new ConfigError(problems)
}
