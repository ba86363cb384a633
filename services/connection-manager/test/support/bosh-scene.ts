import { parseElement } from '@tactus/xml'
import { type Scene, type SceneOptions, scene } from './scene.ts'

/** A scene with the port of its web side. */
export interface BoshScene extends Scene {
  readonly web: number
}

export async function boshScene(options?: SceneOptions): Promise<BoshScene> {
  const stage = await scene(options)
  return Object.assign(stage, { web: stage.manager.ports.http[0]?.port ?? 0 })
}

/** Settings of BOSH in which what is late is seen at once. */
export const quick = (bosh: Readonly<Record<string, number>>): SceneOptions => ({
  config: { bosh },
  settings: { wheel: 10 },
})

/** What the body of an answer says that ends a session. */
export const terminated = (condition: string): Readonly<Record<string, string>> => ({
  type: 'terminate',
  condition,
})

/** What was said in sessions so far, in the order in which it reached their owner. */
export const taken = ({ owner }: Scene): readonly (string | undefined)[] =>
  owner.taken.flatMap((frame) => (frame.kind === 'session.stanza' ? [frame.stanza.id] : []))

/** The session that was opened last. */
export const sessionOf = ({ owner }: Scene): string => [...owner.sessions.keys()].at(-1) ?? ''

/** Of a binding error, and of the stream error in it. */
export function condition(text: string): readonly (string | undefined)[] {
  const body = parseElement(text)
  const error = body.getChild('error', 'http://etherx.jabber.org/streams')
  const [first] = error?.getChildElements() ?? []
  return [body.attrs.condition, ...(first ? [first.name] : [])]
}
