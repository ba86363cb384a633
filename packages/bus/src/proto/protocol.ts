/**
 * The protocol that this release reads, announced in every heartbeat.
 *
 * A frame of a later protocol may be sent once everybody who could get it announces that one: it is numbered like those
 * around it, so who left it out as unknown would wait for its number for ever.
 *
 * 1: the first; 2: `session.state`; 3: `session.ask`; 4: `remote`.
 */
export const protocol = 4
