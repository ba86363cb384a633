import { type IqRequest, requireOwn } from '@tactus/core'
import { type Jid, tryParseJid } from '@tactus/jid'
import { NS_ARCHIVE, StanzaError } from '@tactus/stanza'
import { type XmlElement, xml } from '@tactus/xml'
import { type DefaultMode, type Preferences, preferencesOf, savePreferences } from './settings.ts'

const modes: readonly DefaultMode[] = ['always', 'never', 'roster']

/** Answers with the preferences in force (XEP-0441 §2). */
export function tellPreferences(request: IqRequest, mode: DefaultMode): XmlElement {
  requireOwn(request)
  return prefsElement(preferencesOf(request.scope, mode))
}

/**
 * Keeps what the account prefers and answers with it (XEP-0441 §2).
 *
 * @throws {StanzaError} `bad-request`, `jid-malformed`, `resource-constraint` over `most` addresses
 */
export function changePreferences(request: IqRequest, mode: DefaultMode, most: number): XmlElement {
  requireOwn(request)
  if (request.host.anonymous) throw new StanzaError('not-allowed')
  const preferences = readPreferences(request.payload)
  if (preferences.always.length + preferences.never.length > most)
    throw new StanzaError('resource-constraint', `At most ${most} addresses can be listed.`)
  savePreferences(request.scope, preferences)
  return prefsElement(preferencesOf(request.scope, mode))
}

function readPreferences(prefs: XmlElement): Preferences {
  const mode = modes.find((known) => known === prefs.attrs.default)
  if (!mode) throw new StanzaError('bad-request', `default is one of ${modes.join(', ')}.`)
  return { mode, always: readList(prefs, 'always'), never: readList(prefs, 'never') }
}

/** §2.2, §2.3: a list that is missing is empty. */
function readList(prefs: XmlElement, name: 'always' | 'never'): readonly Jid[] {
  const items = prefs.getChild(name, NS_ARCHIVE)?.getChildren('jid', NS_ARCHIVE) ?? []
  const jids = items.map((item) => {
    const jid = tryParseJid(item.text().trim())
    if (!jid) throw new StanzaError('jid-malformed', `An address in ${name} is no JID.`)
    return jid
  })
  return [...new Set(jids)]
}

function prefsElement({ mode, always, never }: Preferences): XmlElement {
  const list = (name: string, jids: readonly Jid[]): XmlElement =>
    xml(
      name,
      null,
      jids.map((jid) => xml('jid', null, jid)),
    )
  return xml(
    'prefs',
    { xmlns: NS_ARCHIVE, default: mode },
    list('always', always),
    list('never', never),
  )
}
