import { CommandError, type HostDirectory } from '@tactus/core'

/** The name of a host that is served. @throws {CommandError} `not-found`, naming those that are */
export function requireHost(hosts: HostDirectory, name: string): string {
  if (hosts.get(name)) return name
  throw new CommandError('not-found', `${name} is not served here; ${namesOf(hosts)} are`)
}

/** The one host, where there is only one. @throws {CommandError} `invalid`, naming those that there are */
export function onlyHost(hosts: HostDirectory): string {
  const [host, ...others] = hosts.list()
  if (host && others.length === 0) return host.name
  throw new CommandError('invalid', `host: one of ${namesOf(hosts)} is needed`)
}

/** All hosts, for people. */
function namesOf(hosts: HostDirectory): string {
  return hosts
    .list()
    .map(({ name }) => name)
    .join(', ')
}
