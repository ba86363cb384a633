import type { Bus, HostSummary, Request, Requests, StoredCredentials } from '@tactus/bus'
import type { CommandRegistry, Host, HostDirectory, ReadContext } from '@tactus/core'
import { parseBareJid } from '@tactus/jid'
import { credentials, type Reader } from '@tactus/storage'
import type { Components } from './components.ts'

/** What a router answers from. */
export interface RequestSources {
  readonly reader: Reader
  readonly hosts: HostDirectory
  /** Domains of a host's services. */
  services(host: Host): readonly string[]
  readonly components: Components
  readonly commands: CommandRegistry
  readonly context: ReadContext
  /** Looks for partitions that another router has just handed over. */
  refresh(): void
  /** Takes this router out of service, or back into it. */
  drain(draining: boolean): Promise<void>
}

type Answer = (input: unknown) => Promise<unknown>

/** Answers what other instances ask (design §5): reads only, by any router. */
export function serveRequests(
  bus: Bus,
  instance: string,
  sources: RequestSources,
): AsyncDisposable {
  const answers: ReadonlyMap<string, Answer> = new Map<string, Answer>([
    ['account.credentials', (input) => findCredentials(sources, input as { account: string })],
    ['component.find', (input) => find(sources, input as { domain: string })],
    [
      'component.verify',
      (input) => verify(sources, input as Requests['component.verify']['input']),
    ],
    ['hosts.list', () => Promise.resolve(summaries(sources))],
    ['cluster.refresh', async () => sources.refresh()],
    ['instance.drain', (input) => drain(instance, sources, input)],
    ['command.read', (input) => runRead(sources, input as { name: string; input: unknown })],
  ])
  return bus.serve(instance, async ({ method, input }: Request) => {
    const answer = answers.get(method)
    if (!answer) throw new Error(`a router does not answer ${method}`)
    return await answer(input)
  })
}

async function findCredentials(
  { reader }: RequestSources,
  { account }: { account: string },
): Promise<StoredCredentials | undefined> {
  return await credentials(reader, parseBareJid(account))
}

function summaries({ hosts, services, components }: RequestSources): readonly HostSummary[] {
  return hosts.list().map((host) => {
    const { name, anonymous, registration, federation } = host
    const own = components.list().filter((component) => component.host === name)
    const summary = {
      name,
      anonymous,
      registration,
      services: services(host),
      components: own.map((component) => components.summary(component)),
    }
    return federation ? { ...summary, federation } : summary
  })
}

async function find(
  { components }: RequestSources,
  { domain }: { readonly domain: string },
): Promise<Requests['component.find']['output']> {
  await components.refresh()
  const found = components.get(domain)
  return found && { component: components.summary(found), host: found.host }
}

async function verify(
  { components }: RequestSources,
  { domain, streamId, digest }: Requests['component.verify']['input'],
): Promise<Requests['component.verify']['output']> {
  return { valid: await components.verify(domain, streamId, digest) }
}

function runRead(
  { commands, context }: RequestSources,
  { name, input }: { name: string; input: unknown },
): Promise<unknown> {
  return commands.runRead(context, name, input)
}

async function drain(
  instance: string,
  sources: RequestSources,
  input: unknown,
): Promise<Requests['instance.drain']['output']> {
  const { draining } = input as Requests['instance.drain']['input']
  await sources.drain(draining)
  return { instance, draining }
}
