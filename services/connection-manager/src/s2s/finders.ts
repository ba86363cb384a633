import { isListed } from '@tactus/bus'
import { makeTrust } from '../certificates/secure-context.ts'
import type { Services } from '../services.ts'
import { CertificateJudge } from './certificate-judge.ts'
import { Dialer } from './dialer.ts'
import { Posh } from './posh.ts'
import { dnsResolver } from './resolver.ts'
import type { Resolver } from './targets.ts'
import { readPage } from './web-page.ts'

/** Bytes of what a web site may say of certificates. */
const largestPage = 65_536

/** What finds other servers, and what judges who they are; of the same answers of the DNS. */
export function finders({
  services,
  resolver,
}: {
  readonly services: Services
  /** The system's when absent. */
  readonly resolver: Resolver | undefined
}): { readonly dialer: Dialer; readonly judge: CertificateJudge } {
  const { env, settings, certificates, hosts, log } = services
  const { allowPrivate, timeouts, resolvers: servers, dnssec, port, poshPort } = settings.s2s
  const validating = dnssec && servers.length > 0
  const names = resolver ?? dnsResolver({ servers, timeout: timeouts.dns, validating }, env)
  const web = {
    resolver: names,
    allowPrivate,
    timeout: timeouts.connect,
    most: largestPage,
    context: makeTrust(certificates.authorities),
  }
  const posh = new Posh({
    env,
    port: poshPort,
    read: (url) => readPage(url, web),
    failed: (domain, error) => log.info('posh_unread', { domain, err: error }),
  })
  const dialer = new Dialer({
    resolver: names,
    chance: () => Buffer.from(env.random(4)).readUInt32BE(0) / 2 ** 32,
    port,
    allowPrivate,
    timeout: timeouts.connect,
    contextFor: (domain) => certificates.contextFor(domain),
  })
  const judge = new CertificateJudge({
    posh,
    mayAskWeb: (local, remote) => isListed(remote, hosts.hostOf(local)?.federation?.posh ?? []),
    tlsaOfEach: async (domain) => (validating ? await dialer.tlsaOfEach(domain) : []),
  })
  return { dialer, judge }
}
