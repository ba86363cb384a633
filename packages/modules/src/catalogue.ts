import type { XmppModule } from '@tactus/core'
import { absentees } from './absentees/absentees.ts'
import { accounts } from './accounts/accounts.ts'
import { adhoc } from './adhoc/adhoc.ts'
import { announce } from './announce/announce.ts'
import { archive } from './archive/archive.ts'
import { blocking } from './blocking/blocking.ts'
import { bookmarks } from './bookmarks/bookmarks.ts'
import { carbons } from './carbons/carbons.ts'
import { clientState } from './client-state/client-state.ts'
import { components } from './components/components.ts'
import { contactAddresses } from './contact-addresses/contact-addresses.ts'
import { delegation } from './delegation/delegation.ts'
import { disco } from './disco/disco.ts'
import { displayed } from './displayed/displayed.ts'
import { externalServices } from './external-services/external-services.ts'
import { feeds } from './feeds/feeds.ts'
import { forgeries } from './forgeries/forgeries.ts'
import { gateGuard } from './gate-guard/gate-guard.ts'
import { inbox } from './inbox/inbox.ts'
import { invisible } from './invisible/invisible.ts'
import { lastActivity } from './last-activity/last-activity.ts'
import { muc } from './muc/muc.ts'
import { nodeSubscriptions } from './node-subscriptions/node-subscriptions.ts'
import { offline } from './offline/offline.ts'
import { omemo } from './omemo/omemo.ts'
import { ping } from './ping/ping.ts'
import { presence } from './presence/presence.ts'
import { privacy } from './privacy/privacy.ts'
import { privateStorage } from './private-storage/private-storage.ts'
import { privileges } from './privileges/privileges.ts'
import { pubsub } from './pubsub/pubsub.ts'
import { push } from './push/push.ts'
import { registration } from './registration/registration.ts'
import { roomLog } from './room-log/room-log.ts'
import { roomSearch } from './room-search/room-search.ts'
import { roster } from './roster/roster.ts'
import { session } from './session/session.ts'
import { spaces } from './spaces/spaces.ts'
import { stanzaIds } from './stanza-ids/stanza-ids.ts'
import { time } from './time/time.ts'
import { userSearch } from './user-search/user-search.ts'
import { vcard } from './vcard/vcard.ts'
import { version } from './version/version.ts'

/**
 * Every module that ships, in the order in which handlers run where nothing else is asked for.
 *
 * Presence first of those that watch sessions: the others describe what contacts were told.
 */
export const catalogue: readonly XmppModule[] = [
  presence,
  roster,
  blocking,
  privacy,
  invisible,
  accounts,
  registration,
  offline,
  forgeries,
  stanzaIds,
  archive,
  inbox,
  carbons,
  push,
  clientState,
  disco,
  components,
  privileges,
  delegation,
  gateGuard,
  adhoc,
  announce,
  ping,
  session,
  version,
  time,
  lastActivity,
  contactAddresses,
  externalServices,
  privateStorage,
  vcard,
  userSearch,
  muc,
  absentees,
  roomSearch,
  roomLog,
  pubsub,
  bookmarks,
  displayed,
  omemo,
  feeds,
  spaces,
  nodeSubscriptions,
]
