// XEP-0082 §3.2. More than nine digits of a second are nobody's clock.
const dateTime =
  /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):(\d\d))$/

const minute = 60_000

/**
 * Writes a moment in the DateTime profile (XEP-0082 §3.2), in UTC so that it tells nothing of a
 * place: `2026-03-01T12:00:00.000Z`.
 *
 * @param moment milliseconds since 1970, within the years 0 to 9999.
 */
export function formatDateTime(moment: number): string {
  return new Date(moment).toISOString()
}

/**
 * Reads a moment in the DateTime profile (XEP-0082 §3.2), as milliseconds since 1970; undefined
 * when the text is no such thing, days that no calendar has included.
 */
export function parseDateTime(text: string): number | undefined {
  const match = dateTime.exec(text)
  if (!match) return undefined
  const [year = 0, month = 0, day = 0, hours = 0, minutes = 0, seconds = 0] = match
    .slice(1, 7)
    .map(Number)
  if (!isDay(year, month, day) || hours > 23 || minutes > 59 || seconds > 59) return undefined
  const [fraction = '', sign = '+', zoneHours = '0', zoneMinutes = '0'] = match.slice(7)
  if (Number(zoneHours) > 14 || Number(zoneMinutes) > 59) return undefined
  const millisecond = Number(fraction.slice(0, 3).padEnd(3, '0'))
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  const time = date.setUTCHours(hours, minutes, seconds, millisecond)
  const offset = (Number(zoneHours) * 60 + Number(zoneMinutes)) * minute
  return sign === '-' ? time + offset : time - offset
}

function isDay(year: number, month: number, day: number): boolean {
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day
}
