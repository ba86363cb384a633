import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Affiliation, affiliations, type Role, roles } from '@tactus/core'
import {
  initialRole,
  isAllowed,
  mayAffiliate,
  mayGrantRole,
  type Privilege,
  privileges,
} from '../../src/muc/permissions.ts'

/** Every combination of the fields that decide. */
const configurations = ['true', 'false'].flatMap((membersonly) =>
  ['true', 'false'].flatMap((moderated) =>
    ['true', 'false'].flatMap((changesubject) =>
      ['true', 'false'].flatMap((allowinvites) =>
        ['moderators', 'anyone'].flatMap((whois) =>
          ['anyone', 'participants', 'moderators', 'none'].flatMap((allowpm) =>
            [['moderator'], ['moderator', 'participant', 'visitor'], []].map((getmemberlist) => ({
              'muc#roomconfig_membersonly': membersonly === 'true',
              'muc#roomconfig_moderatedroom': moderated === 'true',
              'muc#roomconfig_changesubject': changesubject === 'true',
              'muc#roomconfig_allowinvites': allowinvites === 'true',
              'muc#roomconfig_whois': whois,
              'muc#roomconfig_allowpm': allowpm,
              'muc#roomconfig_getmemberlist': getmemberlist,
            })),
          ),
        ),
      ),
    ),
  ),
)
type Configuration = (typeof configurations)[number]

const isOneOf = <T>(value: T, ...all: readonly T[]): boolean => all.includes(value)
const present = ['moderator', 'participant', 'visitor'] as const

/** What XEP-0045 §5.1.1 and §5.2.1 say, in other words than the table. */
const expected: Readonly<
  Record<Privilege, (role: Role, affiliation: Affiliation, room: Configuration) => boolean>
> = {
  speak: (role) => isOneOf(role, 'moderator', 'participant'),
  'change-subject': (role, _, room) =>
    role === 'moderator' || (role === 'participant' && room['muc#roomconfig_changesubject']),
  'send-private': (role, _, room) =>
    ({
      anyone: isOneOf(role, ...present),
      participants: isOneOf(role, 'moderator', 'participant'),
      moderators: role === 'moderator',
    })[room['muc#roomconfig_allowpm'] as 'anyone'] ?? false,
  'change-nick': (role) => isOneOf(role, ...present),
  invite(role, affiliation, room) {
    if (role === 'none') return false
    if (!room['muc#roomconfig_membersonly']) return true
    if (room['muc#roomconfig_allowinvites']) return isOneOf(affiliation, 'owner', 'admin', 'member')
    return isOneOf(affiliation, 'owner', 'admin') && isOneOf(role, 'moderator', 'participant')
  },
  'see-addresses': (role, _, room) =>
    role === 'moderator' ||
    (room['muc#roomconfig_whois'] === 'anyone' && isOneOf(role, 'participant', 'visitor')),
  'read-members': (role, affiliation, room) =>
    isOneOf(affiliation, 'owner', 'admin') ||
    (room['muc#roomconfig_getmemberlist'] as readonly Role[]).includes(role),
  'read-members-unseen': (_, affiliation, room) =>
    isOneOf(affiliation, 'owner', 'admin') ||
    (room['muc#roomconfig_whois'] === 'anyone' && affiliation === 'member'),
  moderate: (role) => role === 'moderator',
  administer: (_, affiliation) => isOneOf(affiliation, 'owner', 'admin'),
  own: (_, affiliation) => affiliation === 'owner',
}

for (const privilege of Object.keys(privileges) as Privilege[])
  test(`XEP-0045 §5.1.1, §5.2.1 (V44): who may ${privilege}, in every room`, () => {
    for (const room of configurations)
      for (const role of roles)
        for (const affiliation of affiliations) {
          // Who is banned is nowhere, and may nothing.
          const isExpected =
            affiliation !== 'outcast' && expected[privilege](role, affiliation, room)
          const where = `${affiliation}/${role} in ${JSON.stringify(room)}`
          assert.equal(isAllowed({ affiliation, role }, privilege, room), isExpected, where)
        }
  })

test('a configuration that says nothing allows nothing that it decides', () => {
  const owner = { affiliation: 'owner', role: 'moderator' } as const
  for (const privilege of ['change-subject', 'send-private', 'see-addresses'] as const)
    assert.equal(isAllowed(owner, privilege, {}), false, privilege)
})

/** §5.1.2, table "Initial Role Based on Affiliation"; `none` is "N/A" and "not allowed to enter". */
const initial: Readonly<Record<string, readonly Role[]>> = {
  //          owner        admin        member         none           outcast
  moderated: ['moderator', 'moderator', 'participant', 'visitor', 'none'],
  unmoderated: ['moderator', 'moderator', 'participant', 'participant', 'none'],
  'members-only': ['moderator', 'moderator', 'participant', 'none', 'none'],
}
for (const [kind, row] of Object.entries(initial))
  test(`XEP-0045 §5.1.2: the initial roles in a room that is ${kind}`, () => {
    const room = {
      'muc#roomconfig_membersonly': kind === 'members-only',
      'muc#roomconfig_moderatedroom': kind === 'moderated',
    }
    assert.deepEqual(
      affiliations.map((affiliation) => initialRole(affiliation, room)),
      row,
    )
  })

test('XEP-0045 §5.2.2: owners change any affiliation, admins those below them, nobody else any', () => {
  const below = ['member', 'none', 'outcast'] as const
  for (const actor of affiliations)
    for (const before of affiliations)
      for (const after of affiliations) {
        const areBelow =
          isOneOf<Affiliation>(before, ...below) && isOneOf<Affiliation>(after, ...below)
        const isExpected = actor === 'owner' || (actor === 'admin' && areBelow)
        assert.equal(
          mayAffiliate(actor, before, after),
          isExpected,
          `${actor}: ${before} to ${after}`,
        )
      }
})

const rank = (affiliation: Affiliation): number => affiliations.indexOf(affiliation)

/** §8.2 to §8.4, §9.6, §9.7 in other words than the rule. */
function mayGrant(
  actor: { readonly affiliation: Affiliation; readonly role: Role },
  target: { readonly affiliation: Affiliation; readonly role: Role },
  after: Role,
): boolean {
  const isAdmin = isOneOf(actor.affiliation, 'owner', 'admin')
  if (actor.role !== 'moderator') return false
  // §9.6: moderation is the admins' to give, and to take.
  if ((after === 'moderator' || target.role === 'moderator') && !isAdmin) return false
  if (after === 'moderator') return true
  // §8.2, §8.4: nobody above is kicked or silenced; §9.7: admins and owners stay moderators.
  const isAbove = rank(target.affiliation) < rank(actor.affiliation)
  return !isAbove && (after === 'none' || !isOneOf(target.affiliation, 'owner', 'admin'))
}

const actors = affiliations.flatMap((affiliation) => roles.map((role) => ({ affiliation, role })))
for (const after of roles)
  test(`XEP-0045 §5.1.3, §8.2 to §8.4, §9.6, §9.7: who makes whom ${after}`, () => {
    for (const actor of actors)
      for (const target of actors.filter(({ role }) => role !== 'none')) {
        const what = `${actor.affiliation}/${actor.role}: ${target.affiliation}/${target.role}`
        assert.equal(mayGrantRole(actor, target, after), mayGrant(actor, target, after), what)
      }
  })
