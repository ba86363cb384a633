import type { OutputFrame } from '@tactus/bus'
import type { Services } from '../services.ts'

/** Hands what came on the delivery stream to whom it concerns. */
export function takeFrame(
  { sessions, commands }: Pick<Services, 'sessions' | 'commands'>,
  frame: OutputFrame,
): void {
  switch (frame.kind) {
    case 'deliver':
      sessions.deliver(frame)
      break
    case 'committed':
      sessions.committed(frame)
      break
    case 'gap':
      sessions.gap(frame)
      break
    case 'session.opened':
      sessions.opened(frame)
      break
    case 'session.refused':
      sessions.refused(frame)
      break
    case 'session.enabled':
      sessions.enabled(frame)
      break
    case 'session.resumed':
      sessions.resumed(frame)
      break
    case 'session.end':
      sessions.end(frame)
      break
    case 'session.pause':
      sessions.pause(frame)
      break
    case 'command.reply':
      commands.replied(frame)
      break
    default:
  }
}
