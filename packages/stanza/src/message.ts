import type { Stanza } from '@tactus/xml'

/** RFC 6121 §5.2.2. */
export type MessageType = 'chat' | 'error' | 'groupchat' | 'headline' | 'normal'

const messageTypes: readonly MessageType[] = ['chat', 'error', 'groupchat', 'headline', 'normal']

/** The type of a message; an absent or unknown one means `normal` (RFC 6121 §5.2.2). */
export function messageType(message: Stanza): MessageType {
  return messageTypes.find((type) => type === message.type) ?? 'normal'
}

/** The text of the first `<body/>`; undefined when there is none. */
export function messageBody(message: Stanza): string | undefined {
  return message.child('body', message.ns)?.text()
}
