/** Domains of which it is remembered what the certificate of one connection proves. */
const most = 128

/** What the certificate of a server that connected to us proves. */
export class PeerProof {
  readonly #judge: (local: string, remote: string) => Promise<boolean>
  readonly #known = new Map<string, boolean>()

  constructor(judge: (local: string, remote: string) => Promise<boolean>) {
    this.#judge = judge
  }

  /** Whether it was found to be that of a domain, as one of ours sees it. */
  proves(local: string, remote: string): boolean {
    return this.#known.get(`${local} ${remote}`) === true
  }

  /** Finds out what it proves; then `proves` tells. */
  async learn(local: string, remote: string): Promise<void> {
    const name = `${local} ${remote}`
    if (this.#known.has(name)) return
    const isProved = await this.#judge(local, remote)
    const [oldest] = this.#known.keys()
    if (this.#known.size >= most && oldest !== undefined) this.#known.delete(oldest)
    this.#known.set(name, isProved)
  }
}
