// Mailboxes that RFC 2142 reserves, and names that people take for the server's own voice.
const reserved = new Set([
  'abuse',
  'admin',
  'administrator',
  'hostmaster',
  'info',
  'marketing',
  'moderator',
  'news',
  'noc',
  'operator',
  'postmaster',
  'root',
  'sales',
  'security',
  'server',
  'support',
  'system',
  'usenet',
  'uucp',
  'webmaster',
  'www',
  'xmpp',
])
const longest = 64
const invisible = /[\p{Cf}\p{Z}\p{M}]/u

/**
 * What speaks against a name that a stranger picks for a new account; undefined when nothing does.
 *
 * For registration only: an operator may give any name that RFC 7622 allows.
 * @param username a prepared localpart
 */
export function usernameProblem(username: string): string | undefined {
  if (reserved.has(username)) return 'This name is reserved.'
  if (username.length > longest) return `A name has at most ${longest} characters.`
  if (username.includes('\\')) return 'A name has no escaped characters.'
  // Characters that nobody sees make two names look the same.
  if (invisible.test(username.normalize('NFC'))) return 'A name has visible characters only.'
  if (isMixed(username)) return 'A name is written in one script.'
  return undefined
}

/** Letters of one script that look like those of another are how impostors are made (XEP-0165). */
function isMixed(username: string): boolean {
  const scripts = [/\p{Script=Latin}/u, /\p{Script=Cyrillic}/u, /\p{Script=Greek}/u]
  return scripts.filter((script) => script.test(username)).length > 1
}
