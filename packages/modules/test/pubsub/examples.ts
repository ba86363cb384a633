import { by, type Example, left } from '../told-examples.ts'

const supported = left('what is refused here is there')
const unpaid = left('nobody pays for anything here')
const moved = left('a node that is deleted leaves nothing behind that would know where it went')
const mistakes = by('§6 to §8: the owner’s mistakes')
const node = by('§5.3, §5.4, §5.5: a node says what it is and has')
const lists = by('§5.6, §5.7: what somebody has at the service')
const ofNode = by('§5.6, §5.7: what somebody has at one node')
const subscribing = by('§6.1, §6.2, §5.6: who subscribes is told')
const models = by('§4.5: the access model')
const strangers = by('SECURITY: strangers cannot tell nodes')
const approval = by('§8.6: an owner of a node at a service is asked')
const answer = by('§8.6: the owner is asked, and says')
const pending = by('§6.1.3.6, §8.6: who waits goes on waiting')
const options = by('§6.3: a subscriber chooses how')
const badOptions = by('§6.3.4, §6.3.6.2: options that cannot be')
const several = by('§6.3.7, §6.1.6, §7.1.2.4: several subscriptions are told apart')
const defaults = by('§6.4: what a new subscription has')
const retrieving = by('§6.5: all items, some, the most recent, and those that are named')
const ids = by('§7.1.1: an item with an id, and one without')
const shape = by('§7.1.2, §7.2.2: without payloads, without notifications, and retractions')
const publisher = by('§7.1.3.1, §8: a contact is no owner')
const creating = by('§8.1.1, §7.1, §6.1: who creates a node owns it')
const wished = by('§8.1.2, §8.1.3: instant nodes, and nodes that are made as wished')
const configuration = by('§8.2, §8.3: the configuration is offered')
const changed = by('§8.2.5: a changed configuration is told')
const ending = by('§8.4, §8.5: purge and deletion are told')
const owners = by('§8, §6.5.9.10: who is no owner, and who is shut out')
const subscribers = by('§8.8, §6.1.4: who wants to subscribe waits')
const affiliations = by('§8.9, §4.1: affiliations say who publishes')
const all = by('§8.8.2.4, §8.9.2.4: of several changes')
const waiting = by('§8.7: an owner hears where somebody waits')
const unheard = by('§8.7.3: who may not approve')

/** All of them. Example numbers are those of version 1.30.0. */
export const examples: readonly Example[] = [
  [7, 8, by('§5.1: a host has a pubsub service beside it')],
  [9, 10, by('§5.2: nodes are listed in pages')],
  [11, 15, node],
  [16, 18, lists],
  [19, 19, supported],
  [20, 21, subscribing],
  [22, 24, lists],
  [25, 25, supported],
  [26, 27, ofNode],
  [28, 29, subscribing],
  [30, 30, mistakes],
  [31, 31, strangers],
  [32, 32, models],
  [33, 33, models],
  [34, 34, unpaid],
  [35, 35, left('who has logged in without a name may subscribe to what is open (MAY)')],
  [36, 36, pending],
  [37, 37, owners],
  [38, 38, by('§6.1.3.9: where there is no room')],
  [39, 39, mistakes],
  [40, 40, moved],
  [41, 41, mistakes],
  [42, 42, approval],
  [43, 45, left('no subscription has to be configured, and §6.3.1 says that it can be')],
  [46, 46, subscribing],
  [47, 48, subscribing],
  [49, 49, several],
  [50, 52, mistakes],
  [53, 53, several],
  [54, 54, by('§5.1: a host has a pubsub service beside it')],
  [55, 56, options],
  [57, 61, badOptions],
  [62, 62, supported],
  [63, 63, badOptions],
  [64, 65, options],
  [66, 66, badOptions],
  [67, 68, several],
  [69, 71, defaults],
  [72, 73, supported],
  [74, 75, retrieving],
  [76, 76, by('§6.5.4: an answer that would be too large is cut')],
  [77, 83, retrieving],
  [84, 85, several],
  [86, 86, models],
  [87, 88, supported],
  [89, 89, strangers],
  [90, 90, models],
  [91, 91, models],
  [92, 92, unpaid],
  [93, 93, owners],
  [94, 94, mistakes],
  [95, 95, left('the answer lacks what is not there, as §6.5.9.12 (MAY) lets it')],
  [96, 99, ids],
  [100, 100, creating],
  [101, 101, shape],
  [102, 103, by('§7.1.2.3: items name who published them')],
  [104, 104, several],
  [105, 105, publisher],
  [106, 106, left('every node takes items from somebody')],
  [107, 107, owners],
  [108, 113, mistakes],
  [114, 114, by('§7.1.5: options are what a new node gets')],
  [115, 117, shape],
  [118, 118, several],
  [119, 119, publisher],
  [120, 123, mistakes],
  [124, 124, supported],
  [125, 125, creating],
  [126, 126, supported],
  [127, 127, left('no node is made after a registration')],
  [128, 129, creating],
  [130, 130, supported],
  [131, 132, by('§8.1.2: an instant node has a name')],
  [133, 135, creating],
  [136, 136, owners],
  [137, 138, wished],
  [139, 140, configuration],
  [141, 141, supported],
  [142, 142, owners],
  [143, 143, mistakes],
  [144, 144, supported],
  [145, 145, mistakes],
  [146, 148, configuration],
  [149, 149, mistakes],
  [150, 150, left('a notification of a new configuration tells it')],
  [151, 151, changed],
  [152, 154, configuration],
  [155, 156, supported],
  [157, 160, ending],
  [161, 161, owners],
  [162, 162, mistakes],
  [163, 165, ending],
  [166, 166, supported],
  [167, 167, owners],
  [168, 169, mistakes],
  [170, 172, approval],
  [173, 174, answer],
  [175, 175, pending],
  [176, 177, waiting],
  [178, 179, supported],
  [180, 181, unheard],
  [182, 183, waiting],
  [184, 185, subscribers],
  [186, 186, supported],
  [187, 187, owners],
  [188, 188, mistakes],
  [189, 190, subscribers],
  [191, 191, supported],
  [192, 193, owners],
  [194, 195, all],
  [196, 196, subscribers],
  [197, 198, affiliations],
  [199, 199, supported],
  [200, 200, owners],
  [201, 201, mistakes],
  [202, 203, affiliations],
  [204, 204, supported],
  [205, 205, owners],
  [206, 207, owners],
  [208, 209, all],
  [210, 210, left('nobody is told of an affiliation (MAY): what one may is seen by §5.7')],
]
