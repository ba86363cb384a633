import type { XmlElement } from '@tactus/xml'

/** Stands for any value of an attribute, or any text. */
const any = '{any}'

/**
 * Compares a received stanza with the one a story expects, by namespaces and not by prefixes; undefined when they match.
 *
 * Attributes and text `{any}` match whatever is there; whitespace around elements does not count; children may come in
 * any order where the order carries no meaning (it does among elements of the same name).
 */
export function mismatch(expected: XmlElement, actual: XmlElement, path = ''): string | undefined {
  const here = `${path}/${expected.getName()}`
  if (expected.getName() !== actual.getName() || expected.getNS() !== actual.getNS())
    return `${here}: expected {${expected.getNS()}}${expected.getName()}, got {${actual.getNS()}}${actual.getName()}`
  return (
    attributeMismatch(expected, actual, here) ??
    textMismatch(expected, actual, here) ??
    childMismatch(expected, actual, here)
  )
}

function attributeMismatch(
  expected: XmlElement,
  actual: XmlElement,
  here: string,
): string | undefined {
  const names = new Set([...attributeNames(expected), ...attributeNames(actual)])
  for (const name of names) {
    const [wanted, found] = [expected.attrs[name], actual.attrs[name]]
    if (wanted === any ? found === undefined : wanted !== found)
      return `${here}@${name}: expected ${wanted}, got ${found}`
  }
  return undefined
}

function attributeNames(element: XmlElement): string[] {
  return Object.keys(element.attrs).filter(
    (name) => name !== 'xmlns' && !name.startsWith('xmlns:') && element.attrs[name] !== undefined,
  )
}

function textMismatch(expected: XmlElement, actual: XmlElement, here: string): string | undefined {
  const [wanted, found] = [ownText(expected), ownText(actual)]
  return wanted === found || wanted === any
    ? undefined
    : `${here}: expected text "${wanted}", got "${found}"`
}

function ownText(element: XmlElement): string {
  return element.children
    .filter((child) => typeof child === 'string')
    .join('')
    .trim()
}

function childMismatch(expected: XmlElement, actual: XmlElement, here: string): string | undefined {
  const left = elements(actual)
  for (const wanted of elements(expected)) {
    const at = left.findIndex((found) => mismatch(wanted, found) === undefined)
    if (at < 0) {
      const near = left.find(
        (found) => found.getName() === wanted.getName() && found.getNS() === wanted.getNS(),
      )
      return near
        ? mismatch(wanted, near, here)
        : `${here}: lacks {${wanted.getNS()}}${wanted.getName()}`
    }
    left.splice(at, 1)
  }
  const [extra] = left
  return extra ? `${here}: has {${extra.getNS()}}${extra.getName()} too many` : undefined
}

function elements(element: XmlElement): XmlElement[] {
  return element.children.filter((child): child is XmlElement => typeof child !== 'string')
}
