import { isIP, type LookupFunction } from 'node:net'
import { Agent, buildConnector, type Dispatcher, request as httpRequest } from 'undici'
import { lookUpAddresses } from '../../dns/look-up-addresses.ts'
import type { Resolver } from '../../dns/resolver.ts'
import type { FailedFetch, FetchedPolicy, PolicyFetcher } from '../../mta-sts/policy-fetcher.ts'
import { connectionReason } from './connection-reason.ts'
import { whyNotPublic } from './public-address.ts'
import { whyNotFor } from './server-identity.ts'
import { unreachableReason } from './webhook-error.ts'

interface PolicyFetcherOptions {
  readonly resolver: Resolver
  /** Instead of what the DNS says, and whatever its address is: who names a server means it. */
  readonly server?: PolicyServer
}

/** Where a policy is asked for. */
export interface PolicyServer {
  readonly ipAddress: string
  readonly port: number
}

const HTTPS_PORT = 443
/** RFC 8461 §3.3 suggests 64 kilobytes. */
const MAX_POLICY_OCTETS = 65_536
const CONNECT_TIMEOUT_MS = 10_000

/**
 * Gets policies over HTTPS from public addresses: all that the DNS has of a host are judged before anything connects, and
 * the connection goes to one of them. The certificate must be for the host and of an authority that this process trusts.
 * No redirect is followed (RFC 8461 §3.3), no proxy is used, no connection is kept.
 */
export function policyFetcher({ resolver, server }: PolicyFetcherOptions): PolicyFetcher {
  return {
    async fetch(domain, longestMs) {
      const signal = AbortSignal.timeout(longestMs)
      const host = `mta-sts.${domain}`
      const found = server ? { ipAddresses: [server.ipAddress] } : await findServer(resolver, host)
      if (!('ipAddresses' in found)) return found
      const port = server?.port ?? HTTPS_PORT
      const agent = new Agent({ connect: connectorTo(found.ipAddresses, longestMs) })
      try {
        return await get(agent, `https://${host}:${port}/.well-known/mta-sts.txt`, signal)
      } catch (error) {
        return failureOf(error, longestMs)
      } finally {
        await agent.destroy()
      }
    },
  }
}

type FoundServer = { readonly ipAddresses: readonly string[] } | Exclude<FetchedPolicy, { kind: 'fetched' }>

async function findServer(resolver: Resolver, host: string): Promise<FoundServer> {
  const answer = await lookUpAddresses(resolver, host)
  if (answer.kind === 'failed') {
    const { error, extended } = answer
    return { kind: 'failed', problem: error, ...(extended !== undefined && { extended }) }
  }
  if (answer.kind !== 'found') return { kind: 'none', problem: `${host} has no address` }
  // One bad address spoils the name: which one a socket takes is not ours to say.
  for (const ipAddress of answer.values) {
    const reason = whyNotPublic(ipAddress)
    if (reason) return { kind: 'failed', problem: `the address ${ipAddress} of ${host} ${reason}` }
  }
  return { ipAddresses: answer.values }
}

function connectorTo(ipAddresses: readonly string[], longestMs: number): buildConnector.connector {
  const addresses = ipAddresses.map((address) => ({ address, family: isIP(address) }))
  const [first] = addresses
  const lookup: LookupFunction = (_host, { all }, callback) => {
    if (all) callback(null, addresses)
    else callback(null, first?.address ?? '', first?.family)
  }
  return buildConnector({
    lookup,
    timeout: Math.min(CONNECT_TIMEOUT_MS, longestMs),
    allowH2: false,
    maxCachedSessions: 0,
    checkServerIdentity: whyNotFor,
  })
}

async function get(dispatcher: Dispatcher, url: string, signal: AbortSignal): Promise<FetchedPolicy> {
  const { statusCode, body } = await httpRequest(url, { dispatcher, reset: true, signal })
  if (statusCode === 404) return { kind: 'none', problem: 'the policy host has no policy (404)' }
  if (statusCode !== 200) {
    return { kind: 'failed', problem: `the policy host answers ${statusCode} instead of 200` }
  }
  const chunks: Uint8Array[] = []
  let octets = 0
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    octets += chunk.length
    if (octets > MAX_POLICY_OCTETS) {
      return { kind: 'failed', problem: `the policy has more than ${MAX_POLICY_OCTETS} octets` }
    }
    chunks.push(chunk)
  }
  return { kind: 'fetched', text: Buffer.concat(chunks).toString('utf8') }
}

function failureOf(error: unknown, longestMs: number): FailedFetch {
  const { code = '' } = error instanceof Error ? (error as NodeJS.ErrnoException) : {}
  const certificate = certificateFault(code)
  const problem = `the policy host: ${unreachableReason(error, longestMs)}`
  return { kind: 'failed', problem, ...(certificate && { certificate }) }
}

/** RFC 8460 §4.3.1, of what OpenSSL and Node call it. */
function certificateFault(code: string): FailedFetch['certificate'] {
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'certificate-host-mismatch'
  if (code === 'CERT_HAS_EXPIRED') return 'certificate-expired'
  return connectionReason(code)?.startsWith('certificate ') ? 'certificate-not-trusted' : undefined
}
