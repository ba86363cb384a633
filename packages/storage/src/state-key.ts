/** The name of a loaded value in the answer of `DurableStore.load`. */
export function stateKey(entity: string, key: string): string {
  return `${entity}\0${key}`
}
