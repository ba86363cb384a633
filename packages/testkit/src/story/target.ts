import type { Stanza, XmlElement } from '@tactus/xml'

/** One bound resource of a target. */
export interface Connection {
  readonly jid: string
  /** What was received and not yet looked at, oldest first. */
  readonly inbox: Stanza[]
  /** Stream error condition (or `closed`) once the server ended the stream. */
  readonly ended: string | undefined
  send(stanza: XmlElement): void
  end(how: 'closed' | 'dropped'): Promise<void>
}

/** A running server that stories are told against: in memory, or real processes behind real sockets. */
export interface StoryTarget {
  connect(jid: string): Promise<Connection>
  command(name: string, given: unknown): Promise<unknown>
  /** Resolves when everything sent so far had all its effects at all these connections. */
  settle(connections: readonly Connection[]): Promise<void>
  pass(milliseconds: number): Promise<void>
  /** The bus forgets everything, and nothing of what is stored; only where the target can. */
  loseBus(): Promise<void>
  /** Names of what the bus holds for an entity while it is in use; only where the target can. */
  live(entity: string): Promise<readonly string[]>
  close(): Promise<void>
}
