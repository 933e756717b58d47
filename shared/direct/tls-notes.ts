import type { FoundTlsa } from '../dane/find-tlsa.ts'
import { formatTlsa } from '../dane/tlsa.ts'
import type { PolicyAnswer } from '../mta-sts/get-policy.ts'
import { formatPolicy } from '../mta-sts/policy.ts'
import type { TlsFailureDetail, TlsResult } from '../tls-results/tls-results.ts'
import type { PeerAssessment } from '../transport-security/assess-peer.ts'
import type { DaneFact, PolicyProblem } from '../transport-security/decide-tls.ts'
import type { TlsFailure } from '../transport-security/tls-failure.ts'
import { familyOf } from './order-addresses.ts'

/** A host, as far as a report is about it. */
interface NotedHost {
  readonly host: string
  readonly dane: DaneFact
  /** Its TLSA records, usable or not. */
  readonly tlsa?: FoundTlsa
}

/** What TLS came to in a session that was tried. */
export interface TlsEnd {
  readonly ipAddress: string
  /** There was no TLS, although it was tried. */
  readonly failure?: TlsFailure
  /** It was not offered. */
  readonly withoutTls?: TlsFailure
  /** There was; what it was worth. */
  readonly assessment?: PeerAssessment
}

type Policy = Omit<TlsResult, 'success' | 'failures'>

/**
 * Gathers what TLS came to in one attempt, for the reports of RFC 8460: for the recipients' domain and its MTA-STS policy,
 * and for each host and its TLSA records. A session is a success or a failure by each policy once. Where no policy asks
 * for more, TLS is a success by itself: what is wrong with a certificate is told, but counts nothing.
 */
export class TlsNotes {
  readonly #domain: string
  readonly #egressAddresses: readonly string[]
  readonly #results: TlsResult[] = []
  #policy: PolicyAnswer | undefined

  constructor(recipientDomain: string, egressAddresses: readonly string[]) {
    this.#domain = recipientDomain
    this.#egressAddresses = egressAddresses
  }

  /** The hosts of the domain could not be looked up. */
  noHosts(failure: TlsFailure): void {
    this.#note(this.#ofDomain(), 0, [{ ...failure, receivingHost: '', count: 1 }])
  }

  /** What is known of the domain's MTA-STS policy; that there is no record is no problem. */
  policy(answer: PolicyAnswer): void {
    this.#policy = answer
    const { problem } = answer
    if (problem === undefined || problem.reason === 'no-mta-sts-dns-txt-record') return
    const count = answer.kind === 'failed' ? 1 : 0
    this.#note(this.#ofDomain(), 0, [{ ...problem, receivingHost: '', count }])
  }

  /** A host's addresses could not be looked up, because DNSSEC does not vouch for them. */
  noAddresses(host: string, failure: TlsFailure): void {
    const whose = this.#ofHost({ host, dane: { kind: 'failed', failure } })
    this.#note(whose, 0, [{ ...failure, receivingHost: host, count: 1 }])
  }

  /** What is wrong with the policies, so that no session is tried. */
  problems(host: NotedHost, problems: readonly PolicyProblem[]): void {
    for (const { policy, failure, isFailure } of problems) {
      const whose = policy === 'sts' ? this.#ofDomain() : this.#ofHost(host)
      this.#note(whose, 0, [{ ...failure, receivingHost: host.host, count: isFailure ? 1 : 0 }])
    }
  }

  /** A session was tried, although something was wrong with the policies. */
  session(host: NotedHost, end: TlsEnd, problems: readonly PolicyProblem[]): void {
    this.problems(host, problems)
    const isUnlisted = problems.some(({ policy, isFailure }) => policy === 'sts' && isFailure)
    const { assessment, withoutTls, failure, ipAddress } = end
    const domain = this.#ofDomain()
    const whose = this.#ofHost(host)
    const isStrict = this.#hasStsPolicy()
    const detail = (problem: TlsFailure | undefined, count: number): readonly TlsFailureDetail[] =>
      problem ? [{ ...problem, ...this.#between(host.host, ipAddress), count }] : []
    if (failure) {
      this.#note(domain, 0, detail(failure, 1))
      this.#note(whose, 0, detail(failure, 1))
    } else if (assessment) {
      const { webPkiFailure, daneFailure } = assessment
      const isFailure = isStrict && webPkiFailure !== undefined
      this.#note(domain, isFailure || isUnlisted ? 0 : 1, detail(webPkiFailure, isFailure ? 1 : 0))
      this.#note(whose, daneFailure ? 0 : 1, detail(daneFailure, 1))
    } else if (withoutTls) {
      this.#note(domain, 0, detail(withoutTls, isStrict ? 1 : 0))
      this.#note(whose, 0, detail(withoutTls, 0))
    }
  }

  /** All of it. A host that is the domain itself is reported once, by the policy that says more. */
  results(): readonly TlsResult[] {
    const isOwnHost = this.#results.some(
      ({ policyType, policyDomain }) => policyType === 'tlsa' && policyDomain === this.#domain,
    )
    return this.#results.filter(({ policyType, policyDomain, isHost }) => {
      if (policyType !== 'no-policy-found') return true
      return isHost ? policyDomain !== this.#domain : !isOwnHost
    })
  }

  #hasStsPolicy(): boolean {
    return this.#policy?.kind === 'found' && this.#policy.policy.mode !== 'none'
  }

  #ofDomain(): Policy {
    const [domain, answer] = [this.#domain, this.#policy]
    const about = { policyDomain: domain, recipientDomain: domain, isHost: false }
    if (answer?.kind !== 'found') {
      return { ...about, policyType: 'no-policy-found', policyStrings: [], mxHosts: [] }
    }
    const policyStrings = formatPolicy(answer.policy).trimEnd().split('\r\n')
    return { ...about, policyType: 'sts', policyStrings, mxHosts: answer.policy.mx }
  }

  #ofHost({ host, dane, tlsa }: NotedHost): Policy {
    return {
      policyDomain: tlsa?.baseDomain ?? host,
      recipientDomain: this.#domain,
      policyType: dane.kind === 'none' ? 'no-policy-found' : 'tlsa',
      policyStrings: tlsa?.records.map(formatTlsa) ?? [],
      mxHosts: [host],
      isHost: true,
    }
  }

  #between(host: string, ipAddress: string): Omit<TlsFailureDetail, keyof TlsFailure | 'count'> {
    const sendingIp = this.#egressAddresses.find((each) => familyOf(each) === familyOf(ipAddress))
    return {
      receivingHost: host,
      ...(ipAddress !== '' && { receivingIp: ipAddress }),
      ...(sendingIp !== undefined && ipAddress !== '' && { sendingIp }),
    }
  }

  #note(policy: Policy, success: number, failures: readonly TlsFailureDetail[]): void {
    if (success > 0 || failures.length > 0) this.#results.push({ ...policy, success, failures })
  }
}
