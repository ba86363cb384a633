import { by, type Example, left } from '../told-examples.ts'

const client = left('a client answers it, or shows it')
const service = by('§6.2, §6.3, XEP-0059: the host names the service')
const history = by('§7.2.13, §7.2.14: history, then the subject')
const conversion = by('§7.9: two who talk take others in')
const registered = by('§7.10, §7.12: a nickname is registered')
const voiceList = by('§8.5: several roles are changed at once, or none')
const memberList = by('§9.5: the member list is read and changed')
const moderatorList = by('§9.8: the moderator list is read and changed')
const moderation = by('§9.6, §9.7: moderation is given and taken, with a reason')
const ownerList = by('§10.3 to §10.5: owners')
const adminList = by('§10.6 to §10.8: admins')
const formLists = by('§10.2: the form makes admins and owners, and takes it from them')
const destroyed = by('§10.9: a room is destroyed, and another named')
const form = by('§10.1.3, §10.2: the form shows the configuration, and changes it')

/** All of them. Example numbers are those of version 1.35.5. */
export const examples: readonly Example[] = [
  [1, 6, service],
  [7, 7, by('§6.3, XEP-0059: a limited list of rooms')],
  [8, 11, by('§6.4: what disco says of a room')],
  [12, 12, left('who is in a room is not public here (§6.5: MAY)')],
  [13, 13, by('§6.4: what disco says of a room')],
  [14, 17, client],
  [18, 18, by('§7.2.2: a newcomer sees everybody')],
  [19, 19, by('§7.2.1: without a nickname nobody comes in')],
  [20, 22, by('§7.2.2: a newcomer sees everybody')],
  [23, 24, by('§7.2.3: in a non-anonymous room all see addresses')],
  [25, 25, by('§7.2.5: without the password')],
  [26, 26, by('§7.2.5: with the password one comes in')],
  [27, 27, by('§7.2.6: into a room for members')],
  [28, 28, by('§9.1, §9.2: a ban puts out, keeps out, and is listed')],
  [29, 29, by('§7.2.8: a nickname that is taken is a conflict')],
  [30, 30, by('§7.2.9: into a room that is full')],
  [31, 31, by('§10.1.1, §10.1.2: who comes first makes the room, and opens it')],
  [32, 32, left('no room is logged in public; what is archived is said by XEP-0313')],
  [33, 33, history],
  [34, 34, left('the original address stays the room’s (§7.2.13: MAY)')],
  [35, 40, history],
  [41, 41, by('§7.2.2: a newcomer sees everybody')],
  [42, 43, by('§7.2.18: who believes to be in is told the truth')],
  [44, 45, by('§7.4, XEP-0421, XEP-0359: a line to all')],
  [46, 48, by('§7.5: a private message goes to one occupant only')],
  [49, 50, by('§7.6: a nickname is changed')],
  [51, 51, left('the room changes nobody’s nickname')],
  [52, 52, by('§7.6: a nickname is changed')],
  [53, 53, left('there is no setting that locks nicknames; reserved ones are another’s (§7.2.8)')],
  [54, 55, by('§7.7: what an occupant says of itself goes to all')],
  [56, 59, by('§7.8.2: a mediated invitation, and a refusal')],
  [60, 60, left('a chat between two has nothing to do with the room yet')],
  [61, 65, conversion],
  [66, 66, registered],
  [67, 68, by('§7.10: nobody registers with a room that is not there, or not open')],
  [69, 72, registered],
  [73, 73, left('a room that takes no registrations says not-allowed (example 68)')],
  [74, 78, registered],
  [79, 79, by('§7.13, §8.6: a visitor asks for voice')],
  [80, 82, by('§7.14: somebody ')],
  [81, 81, by('§7.14: who leaves is told so')],
  [83, 83, by('§7.14: who leaves is told so')],
  [84, 85, by('§8.1: the subject is changed by who may')],
  [86, 86, client],
  [87, 88, by('§8.1: the subject is changed by who may')],
  [89, 92, by('§8.2: a moderator kicks an occupant')],
  [93, 93, by('§8.2: nobody kicks the owner')],
  [94, 97, by('§8.3, §8.4, §8.5: voice is given, listed, taken')],
  [98, 101, by('§8.4: voice is taken, with a reason')],
  [102, 102, by('§8.4: nobody silences the owner')],
  [103, 104, by('§8.3, §8.4, §8.5: voice is given, listed, taken')],
  [105, 107, voiceList],
  [108, 109, by('§7.13, §8.6: a visitor asks for voice')],
  [110, 114, by('§9.1, §9.2: a ban puts out, keeps out, and is listed')],
  [115, 115, by('§9.1: an admin bans no owner')],
  [116, 117, by('§9.1, §9.2: a ban puts out, keeps out, and is listed')],
  [118, 119, by('§9.2: the ban list is changed')],
  [120, 127, by('§9.3, §9.4: membership is given and taken in an open room')],
  [128, 128, by('§9.3, §9.4: members of a room that is for them')],
  [129, 133, memberList],
  [134, 134, by('§9.3, §9.4: members of a room that is for them')],
  [135, 135, by('an invitation into a room for members makes a member, where one may')],
  [136, 136, memberList],
  [137, 144, moderation],
  [145, 145, by('§9.7: the owner stays a moderator')],
  [146, 150, moderatorList],
  [151, 151, left('who registers is a member at once (§9.9: MAY)')],
  [152, 152, by('§10.1.1: who may make rooms is the host’s to say')],
  [153, 155, by('§10.1.1, §10.1.2: who comes first makes the room, and opens it')],
  [156, 157, by('§10.1.3: a new room is configured')],
  [158, 158, left('there are options always')],
  [159, 160, by('§10.1.3: a new room is configured')],
  [161, 161, by('a protected room without a password')],
  [162, 162, by('§10.1.3: who goes before the room is configured')],
  [163, 165, form],
  [166, 166, by('§10.2: who cancels a later configuration changes nothing')],
  [167, 167, form],
  [168, 170, formLists],
  [171, 171, by('§10.2.1: occupants hear of a change')],
  [172, 185, ownerList],
  [186, 200, adminList],
  [201, 204, destroyed],
]
