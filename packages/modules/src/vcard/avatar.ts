import { createHash } from 'node:crypto'
import type { ItemEvent, NodeConfig, Nodes, Scope } from '@tactus/core'
import { type Jid, tryParseJid } from '@tactus/jid'
import { type XmlElement, xml } from '@tactus/xml'
import { NS_VCARD } from './wire.ts'

/** XEP-0084 §10; also the nodes. */
export const NS_AVATAR_DATA = 'urn:xmpp:avatar:data'
export const NS_AVATAR_METADATA = 'urn:xmpp:avatar:metadata'

/** What an account's avatar is called, and what it is. */
interface Avatar {
  /** SHA-1 of the image; undefined where the account says that it has none. */
  readonly hash: string | undefined
  readonly type: string | undefined
}

const base64 = /^[A-Za-z0-9+/]+={0,2}$/

/** The account's avatar as it says itself (XEP-0084 §4.2); undefined where it never said anything. */
function avatarOf(scope: Scope, nodes: Nodes): Avatar | undefined {
  const metadata = nodes.item(scope, NS_AVATAR_METADATA)
  if (!metadata?.payload) return undefined
  return readMetadata(metadata.payload, metadata.id)
}

function readMetadata(payload: XmlElement, id: string): Avatar {
  // XEP-0398 §3.1: not one that lies elsewhere.
  const info = payload
    .getChildren('info', NS_AVATAR_METADATA)
    .find(({ attrs }) => attrs.url === undefined)
  return { hash: info && (info.attrs.id ?? id), type: info?.attrs.type }
}

/**
 * The avatar as the photo of a vCard, for who may have it (XEP-0398 §3.1, §7): it is put in when it is asked for, so that
 * the access model of its node counts. `none` says that the account has none.
 */
export function photoFor(scope: Scope, nodes: Nodes, reader: Jid): XmlElement | 'none' | undefined {
  // §7: both nodes have to be for the reader.
  if (!nodes.mayRead(scope, NS_AVATAR_METADATA, reader)) return undefined
  const avatar = avatarOf(scope, nodes)
  if (!avatar) return undefined
  if (avatar.hash === undefined) return 'none'
  if (!nodes.mayRead(scope, NS_AVATAR_DATA, reader)) return undefined
  const data = nodes.item(scope, NS_AVATAR_DATA, avatar.hash)?.payload
  const image = data && readImage(data.text())
  // SECURITY: what does not have the hash that it is announced by is not it.
  if (!image || image.hash !== avatar.hash) return undefined
  return xml(
    'PHOTO',
    { xmlns: NS_VCARD },
    xml('TYPE', null, avatar.type ?? 'image/png'),
    xml('BINVAL', null, image.text),
  )
}

/**
 * The hash that presence tells of (XEP-0398 §4).
 *
 * SECURITY: an avatar that is for some people only is nothing that all should know of.
 */
export function avatarShownTo(
  scope: Scope,
  nodes: Nodes,
  to: string | undefined,
): string | undefined {
  const audience = nodes.audience(scope, NS_AVATAR_METADATA)
  if (audience === undefined || audience === 'some') return undefined
  const reader = to === undefined ? undefined : tryParseJid(to)
  const isMeant =
    audience === 'everybody' || !reader || nodes.mayRead(scope, NS_AVATAR_METADATA, reader)
  return isMeant ? avatarOf(scope, nodes)?.hash : undefined
}

/** The hash of what was just published, if presence may tell of it. */
export function hashToShow(nodes: Nodes, { scope, item }: ItemEvent): string | undefined {
  const audience = nodes.audience(scope, NS_AVATAR_METADATA)
  const isForContacts = audience === 'everybody' || audience === 'presence'
  return isForContacts && item.payload ? readMetadata(item.payload, item.id).hash : undefined
}

/**
 * Publishes the photo of a vCard as the avatar (XEP-0398 §3.2), or that there is none any more. Answers whether the
 * photo is there now, so that nobody needs to keep it twice.
 */
export function publishPhoto(
  scope: Scope,
  nodes: Nodes,
  { photo, config }: { readonly photo: XmlElement | undefined; readonly config: NodeConfig },
): boolean {
  const current = avatarOf(scope, nodes)
  if (!photo) {
    if (current?.hash !== undefined)
      nodes.publish(scope, NS_AVATAR_METADATA, { id: 'none', payload: metadataElement() }, config)
    return false
  }
  const image = readImage(photo.getChildText('BINVAL') ?? '')
  if (!image) return false
  if (image.hash === current?.hash) return true
  const type = photo.getChildText('TYPE')?.trim() || 'image/png'
  const data = xml('data', { xmlns: NS_AVATAR_DATA }, image.text)
  const info = { bytes: String(image.bytes), id: image.hash, type }
  nodes.publish(scope, NS_AVATAR_DATA, { id: image.hash, payload: data }, config)
  nodes.publish(
    scope,
    NS_AVATAR_METADATA,
    { id: image.hash, payload: metadataElement(info) },
    config,
  )
  return true
}

function metadataElement(info?: Readonly<Record<string, string>>): XmlElement {
  return xml('metadata', { xmlns: NS_AVATAR_METADATA }, info && xml('info', info))
}

interface Image {
  readonly text: string
  readonly hash: string
  readonly bytes: number
}

/** XEP-0084 §4.1: line feeds are accepted, and not passed on. */
function readImage(encoded: string): Image | undefined {
  const text = encoded.replaceAll(/\s/g, '')
  if (!base64.test(text)) return undefined
  const image = Buffer.from(text, 'base64')
  return { text, hash: createHash('sha1').update(image).digest('hex'), bytes: image.length }
}
