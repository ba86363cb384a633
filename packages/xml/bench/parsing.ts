/** Stanzas per second of CPU time, so that a busy machine disturbs little: `node --conditions=source packages/xml/bench/parsing.ts`. */
import { Stanza } from '../src/index.ts'
import { clientLimits } from '../src/limits.ts'
import { StreamReader } from '../src/stream-reader.ts'
import { samples } from './samples.ts'

const seconds = 0.25
const rounds = 4

const cpuSeconds = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

/** Calls a second, best of a few rounds. */
function rate(work: () => unknown): number {
  let best = 0
  for (let round = 0; round < rounds; round++) {
    const begin = cpuSeconds()
    let calls = 0
    let elapsed = 0
    while (elapsed < seconds) {
      for (let i = 0; i < 2_000; i++) work()
      calls += 2_000
      elapsed = cpuSeconds() - begin
    }
    best = Math.max(best, calls / elapsed)
  }
  return Math.round(best)
}

const header =
  "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='montague.example' version='1.0'>"
const line = (...columns: readonly unknown[]): boolean =>
  process.stdout.write(`${columns.map((column) => String(column).padStart(14)).join('')}\n`)

line('', 'bytes', 'read/s', 'MB/s', 'with from', 'bus parse', 'tree', 'serialize')
for (const [name, text] of Object.entries(samples)) {
  const bytes = Buffer.from(text)
  const reader = new StreamReader({ limits: clientLimits })
  reader.push(Buffer.from(header))
  const read = rate(() => reader.push(bytes))
  const stamped = rate(() => {
    const [event] = reader.push(bytes)
    return event?.kind === 'stanza' && event.stanza.with({ from: 'romeo@montague.example/x' }).bytes
  })
  const stored = Stanza.parse(text, 'jabber:client').bytes
  const parse = rate(() => Stanza.parse(stored))
  const tree = rate(() => Stanza.parse(stored).element)
  const { element } = Stanza.parse(stored)
  const write = rate(() => element.toString())
  line(
    name,
    bytes.length,
    read,
    Math.round((read * bytes.length) / 1e6),
    stamped,
    parse,
    tree,
    write,
  )
}
