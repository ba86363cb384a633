import { type Affiliation, affiliations, type Role, type RoomSettings, roles } from '@tactus/core'

/** Everything about a room that not everybody may do. */
export type Privilege =
  | 'speak'
  | 'change-subject'
  | 'send-private'
  | 'change-nick'
  | 'invite'
  | 'see-addresses'
  | 'read-members'
  | 'read-members-unseen'
  | 'moderate'
  | 'administer'
  | 'own'

/** The least that one needs, by role and by affiliation; `nobody` is more than anybody has. */
interface Least {
  readonly role?: Role | 'nobody'
  readonly affiliation?: Affiliation
}

/** What decides: nothing but the table, or one field of the configuration. */
type Rule =
  | Least
  | { readonly field: string; readonly values: Readonly<Record<string, Least>> }
  /** For lists of roles: those in it. */
  | { readonly rolesIn: string; readonly orAffiliation: Affiliation }

/**
 * Who may do what, by role, affiliation and configuration: XEP-0045 §5.1.1 and §5.2.1 with their asterisks resolved.
 *
 * SECURITY: the one place that decides (V44). Whoever adds a privilege adds a row, and the tests go through all of it.
 */
export const privileges: Readonly<Record<Privilege, Rule>> = {
  speak: { role: 'participant' },
  'change-subject': {
    field: 'muc#roomconfig_changesubject',
    values: { true: { role: 'participant' }, false: { role: 'moderator' } },
  },
  'send-private': {
    field: 'muc#roomconfig_allowpm',
    values: {
      anyone: { role: 'visitor' },
      participants: { role: 'participant' },
      moderators: { role: 'moderator' },
      none: { role: 'nobody' },
    },
  },
  'change-nick': { role: 'visitor' },
  // §7.8.2: where only members come in, an invitation makes one, so that it is for those who may.
  invite: {
    field: 'muc#roomconfig_membersonly',
    values: { true: { role: 'participant', affiliation: 'admin' }, false: { role: 'visitor' } },
  },
  'see-addresses': {
    field: 'muc#roomconfig_whois',
    values: { anyone: { role: 'visitor' }, moderators: { role: 'moderator' } },
  },
  'read-members': { rolesIn: 'muc#roomconfig_getmemberlist', orAffiliation: 'admin' },
  // §9.5: where addresses are open anyway, members read it from outside, too.
  'read-members-unseen': {
    field: 'muc#roomconfig_whois',
    values: { anyone: { affiliation: 'member' }, moderators: { affiliation: 'admin' } },
  },
  moderate: { role: 'moderator' },
  administer: { affiliation: 'admin' },
  own: { affiliation: 'owner' },
}

/** Who wants to do something. Outside of the room the role is `none`. */
export interface Actor {
  readonly affiliation: Affiliation
  readonly role: Role
}

/** Whether somebody may do something in a room that is configured so. */
export function isAllowed(actor: Actor, privilege: Privilege, settings: RoomSettings): boolean {
  if (actor.affiliation === 'outcast') return false
  // Members may invite where the owner said so (muc#roomconfig_allowinvites).
  if (privilege === 'invite' && settings['muc#roomconfig_allowinvites'] === true)
    return actor.role !== 'none' && isAtLeast(actor.affiliation, inviters(settings))
  const rule = privileges[privilege]
  if ('rolesIn' in rule) {
    const list = settings[rule.rolesIn]
    const isListed = Array.isArray(list) && list.includes(actor.role)
    return isListed || isAtLeast(actor.affiliation, rule.orAffiliation)
  }
  if (!('field' in rule)) return hasLeast(actor, rule)
  const least = rule.values[String(settings[rule.field])]
  // Fail closed: a value that the table does not know allows nothing.
  return least !== undefined && hasLeast(actor, least)
}

function inviters(settings: RoomSettings): Affiliation {
  return settings['muc#roomconfig_membersonly'] === true ? 'member' : 'none'
}

function hasLeast(actor: Actor, { role, affiliation }: Least): boolean {
  if (affiliation !== undefined && !isAtLeast(actor.affiliation, affiliation)) return false
  if (role === undefined) return true
  return role !== 'nobody' && roles.indexOf(actor.role) <= roles.indexOf(role)
}

function isAtLeast(affiliation: Affiliation, least: Affiliation): boolean {
  return affiliations.indexOf(affiliation) <= affiliations.indexOf(least)
}

/** Whether somebody may read the lists of members, admins and owners; that of the banned is the admins'. */
export function mayReadLists(actor: Actor, settings: RoomSettings): boolean {
  // SECURITY: V44. For whom the owner says, and only where addresses are open.
  return (
    isAllowed(actor, 'read-members-unseen', settings) ||
    (isAllowed(actor, 'read-members', settings) && isAllowed(actor, 'see-addresses', settings))
  )
}

/** The role that somebody of an affiliation comes in with (§5.1.2). */
export function initialRole(affiliation: Affiliation, settings: RoomSettings): Role {
  if (affiliation === 'outcast') return 'none'
  if (isAtLeast(affiliation, 'admin')) return 'moderator'
  if (affiliation === 'member') return 'participant'
  if (settings['muc#roomconfig_membersonly'] === true) return 'none'
  return settings['muc#roomconfig_moderatedroom'] === true ? 'visitor' : 'participant'
}

/** Whether somebody of one affiliation may take another from what it is to what it shall be (§5.2.2, §9, §10). */
export function mayAffiliate(actor: Affiliation, before: Affiliation, after: Affiliation): boolean {
  if (actor === 'owner') return true
  const isBelow = (one: Affiliation): boolean => !isAtLeast(one, 'admin')
  return actor === 'admin' && isBelow(before) && isBelow(after)
}

/**
 * Whether an occupant may give another a role (§5.1.3, §8, §9.6, §9.7).
 *
 * Moderator is given and taken by admins; nobody who is above may be kicked or silenced; admins and owners are
 * moderators always.
 */
export function mayGrantRole(actor: Actor, target: Actor, after: Role): boolean {
  if (actor.role !== 'moderator') return false
  const isAdmin = isAtLeast(actor.affiliation, 'admin')
  if (after === 'moderator') return isAdmin
  if (!isAtLeast(actor.affiliation, target.affiliation)) return false
  if (after === 'none') return target.role !== 'moderator' || isAdmin
  if (isAtLeast(target.affiliation, 'admin')) return false
  return target.role !== 'moderator' || isAdmin
}
