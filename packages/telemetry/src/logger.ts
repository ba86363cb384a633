import { pino } from 'pino'
import { prettyDestination } from './pretty.ts'

/** How much is told; `debug` is one stanza, `error` pages someone. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** What a record says beside its event. Never a body, a password or a whole stanza. */
export type LogFields = Readonly<Record<string, unknown>>

/** Writes one record at one level: `event` is snake_case and past tense, as in `stream_closed`. */
export type LogWriter = (event: string, fields?: LogFields) => void

/** A structured log. The event comes first, so that no record can be without one. */
export interface Logger {
  readonly debug: LogWriter
  readonly info: LogWriter
  readonly warn: LogWriter
  readonly error: LogWriter
  /** A logger whose records all carry `fields` too. */
  child(fields: LogFields): Logger
  /** Whether a level is written: ask before making costly fields for `debug`. */
  enabled(level: LogLevel): boolean
  /** Writes out what is still held back; for the last words of a process. */
  flush(): void
}

/** How a process logs. */
export interface LogOptions {
  readonly level?: LogLevel
  /** `auto` is `pretty` on a terminal and `json` elsewhere. */
  readonly format?: 'auto' | 'pretty' | 'json'
  /** Bound to every record: `service`, `instance`. */
  readonly fields?: LogFields
  /** Takes each line in place of standard output. */
  readonly write?: (line: string) => void
}

/**
 * What must not be in a log even when someone hands it over: secrets, and what people write.
 *
 * Looked for in a record and one level below.
 */
const hidden = [
  ...['password', 'secret', 'token', 'authorization', 'cookie', 'credentials', 'salt', 'nonce'],
  ...['storedKey', 'serverKey', 'privateKey', 'body', 'stanza', 'element', 'xml', 'payload'],
]

const redact = { paths: hidden.flatMap((key) => [key, `*.${key}`]), censor: '[redacted]' }

/** Records that wait for a slow reader of our output; past that they are dropped, not hoarded. */
const heldBackBytes = 4 * 1024 * 1024

interface Sink {
  readonly stream: pino.DestinationStream
  flush(): void
}

const nothingHeldBack = (): void => {}

function destination({ format = 'auto', write }: LogOptions): Sink {
  const isPretty = format === 'pretty' || (format === 'auto' && !write && process.stdout.isTTY)
  if (isPretty) return { stream: prettyDestination(write), flush: nothingHeldBack }
  if (write) return { stream: { write }, flush: nothingHeldBack }
  const stream = pino.destination({ fd: 1, sync: false, maxLength: heldBackBytes })
  const flush = (): void => {
    try {
      stream.flushSync()
    } catch {
      // Whoever read our output is gone: there is nobody left to tell.
    }
  }
  return { stream, flush }
}

/**
 * A logger with `fields` bound. Children are made from the root again: a child of a child would
 * write a field that both bind twice, and JSON leaves open which of two counts.
 */
function bind(root: pino.Logger, fields: LogFields, flush: () => void): Logger {
  const log = root.child(fields)
  const writer =
    (level: LogLevel): LogWriter =>
    (event, more) =>
      log[level]({ event, ...more })
  return {
    debug: writer('debug'),
    info: writer('info'),
    warn: writer('warn'),
    error: writer('error'),
    child: (more) => bind(root, { ...fields, ...more }, flush),
    enabled: (level) => log.isLevelEnabled(level),
    flush,
  }
}

/** Makes the log of a process; JSON lines with `level` as a word and `time` in ISO 8601. */
export function createLogger(options: LogOptions = {}): Logger {
  const { stream, flush } = destination(options)
  const root = pino(
    {
      level: options.level ?? 'info',
      base: {},
      redact,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: pino.stdSerializers.err },
    },
    stream,
  )
  return bind(root, options.fields ?? {}, flush)
}
