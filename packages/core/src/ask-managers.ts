import type { Bus } from '@tactus/bus'

/** Milliseconds that one connection manager may take to tell; who is leaving says nothing. */
const patience = 2_000

/** Asks every connection manager for a list; each entry comes with the instance that told it. */
export async function askManagers<T extends object>(
  bus: Bus,
  method: string,
  input?: unknown,
): Promise<readonly (T & { readonly instance: string })[]> {
  const instances = await bus.instances()
  const managers = instances.filter(({ role }) => role === 'connection-manager')
  const lists = await Promise.all(managers.map(({ id }) => ask<T>(bus, id, { method, input })))
  return lists.flat()
}

async function ask<T extends object>(
  bus: Bus,
  instance: string,
  request: { readonly method: string; readonly input: unknown },
): Promise<readonly (T & { readonly instance: string })[]> {
  try {
    const list = (await bus.request(instance, request, patience)) as readonly T[]
    return list.map((entry) => ({ ...entry, instance }))
  } catch {
    // It ended a moment ago, or is of a release that does not know the question.
    return []
  }
}
