import { createHash } from 'node:crypto'
import { Html, html } from './html.ts'

/** What a room says of itself. */
interface Shown {
  readonly name: string
  readonly description: string
}

/** Rooms of a service, as a router answers. */
export interface RoomList {
  readonly rooms: readonly (Shown & { readonly jid: string })[]
  readonly next: string | null
}

/** Days on which something was said, as a router answers. */
export interface DayList {
  readonly room: Shown
  readonly days: readonly string[]
  readonly next: string | null
}

/** What was said on a day, as a router answers. */
export interface LineList {
  readonly room: Shown
  readonly lines: readonly {
    readonly id: string
    /** Wall clock, ms. */
    readonly at: number
    readonly nick: string
    readonly kind: 'says' | 'does' | 'subject'
    readonly text: string
    readonly corrects: boolean
  }[]
  readonly next: string | null
  readonly earlier: string | null
  readonly later: string | null
}

/** Where a page is: the path of all logs, and what it is about. */
export interface Place {
  readonly logs: string
  /** Of a room, or of a service. */
  readonly address: string
}

const style =
  'body{font:1em/1.5 sans-serif;max-width:50em;margin:1em auto;padding:0 1em;color:#222;background:#fff}' +
  'ol,ul{list-style:none;padding:0}li{margin:.2em 0}.text{white-space:pre-wrap;overflow-wrap:anywhere}' +
  'time,.mark,nav{color:#666;font-size:.85em}nav a{margin-right:1em}.does,.subject{font-style:italic}' +
  '@media(prefers-color-scheme:dark){body{color:#ddd;background:#111}a{color:#8cf}time,.mark,nav{color:#999}}'

/** SECURITY: a page runs nothing, loads nothing, and is shown in no other; its own style is known by its hash. */
export const pagePolicy: string = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** The rooms of a service. */
export function roomsPage(place: Place, { rooms, next }: RoomList): string {
  const { logs, address } = place
  const items = rooms.map(
    ({ jid, name, description }) =>
      html`<li><a href="${pathTo(logs, jid)}"><bdi>${name || jid}</bdi></a> <span dir="auto">${description}</span></li>`,
  )
  const more = next && link(`${pathTo(logs, address)}?after=${encodeURIComponent(next)}`, 'More')
  return page(`Rooms of ${address}`, html`<ul>${items}</ul><nav>${more ?? ''}</nav>`)
}

/** The days of a room. */
export function daysPage(place: Place, { room, days, next }: DayList): string {
  const here = pathTo(place.logs, place.address)
  const items = days.map((day) => html`<li>${link(`${here}/${day}`, day)}</li>`)
  const more = next === null ? '' : link(`${here}?before=${next}`, 'Earlier')
  return page(
    titleOf(place, room),
    html`<p dir="auto">${room.description}</p><ul>${items}</ul><nav>${more}</nav>`,
  )
}

/** What was said on a day. */
export function linesPage(place: Place, day: string, list: LineList): string {
  const { room, lines, next, earlier, later } = list
  const here = pathTo(place.logs, place.address)
  const ways = html`<nav>${[
    earlier !== null && link(`${here}/${earlier}`, `← ${earlier}`),
    link(here, 'All days'),
    later !== null && link(`${here}/${later}`, `${later} →`),
  ]}</nav>`
  const more = next === null ? '' : link(`${here}/${day}?after=${encodeURIComponent(next)}`, 'More')
  const said =
    lines.length === 0 ? html`<p>Nothing is here.</p>` : html`<ol>${lines.map(lineItem)}</ol>`
  return page(`${titleOf(place, room)}, ${day}`, html`${ways}${said}<nav>${more}</nav>${ways}`)
}

function lineItem({ id, at, nick, kind, text, corrects }: LineList['lines'][number]): Html {
  const when = new Date(at).toISOString()
  const anchor = encodeURIComponent(id)
  const who = html`<b><bdi>${nick}</bdi></b>`
  const says =
    kind === 'does' ? html`* ${who}` : html`${who}${kind === 'subject' ? ' set the subject:' : ':'}`
  const mark = corrects && html` <span class="mark">(corrected)</span>`
  return html`<li id="${anchor}" class="${kind}"><a href="#${anchor}"><time datetime="${when}">${when.slice(11, 19)}</time></a> ${says} <span class="text" dir="auto">${text}</span>${mark}</li>
`
}

function titleOf({ address }: Place, { name }: Shown): string {
  return name || address
}

function pathTo(logs: string, address: string): string {
  return `${logs}/${encodeURIComponent(address)}`
}

function link(to: string, text: string): Html {
  return html`<a href="${to}">${text}</a>`
}

function page(title: string, content: Html): string {
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title><style>${new Html(style)}</style></head>
<body><h1><bdi>${title}</bdi></h1>${content}</body></html>
`.text
}
