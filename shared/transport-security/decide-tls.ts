import type { StsProblem } from '../mta-sts/problem.ts'
import type { TlsFailure } from './tls-failure.ts'

/** What is known before a host is called. */
export interface TlsFacts {
  readonly host: string
  readonly dane: DaneFact
  readonly sts: StsFact
  /** RFC 8689: true is REQUIRETLS, false is `TLS-Required: No`. */
  readonly requireTls: boolean | undefined
  /** The recipient's address names the server by its IP address: there is no domain to ask for a policy. */
  readonly isAddressLiteral: boolean
}

/** What TLSA records say of a host (RFC 7672 §2.2). */
export type DaneFact =
  /** There are none, or DNSSEC does not vouch for them. */
  | { readonly kind: 'none' }
  | { readonly kind: 'usable' }
  /** There are some, but none that we can use; why not. */
  | { readonly kind: 'unusable'; readonly reason: string }
  | { readonly kind: 'failed'; readonly failure: TlsFailure }

/** What the MTA-STS policy of the recipient's domain says of a host. */
export type StsFact =
  /** There is no policy, or it has the mode `none`. */
  | { readonly kind: 'none' }
  | { readonly kind: 'failed'; readonly problem: StsProblem }
  | { readonly kind: 'testing' | 'enforce'; readonly listsHost: boolean }

/** What a session with a host must have. */
export interface TlsDemands {
  readonly startTls: 'none' | 'opportunistic' | 'required'
  /** `report`: it is looked at for a TLS report only. */
  readonly dane: 'none' | 'report' | 'verify'
  readonly webPki: 'report' | 'verify'
  /** The server must offer REQUIRETLS, and is told it (RFC 8689 §4.2.1). */
  readonly requireTls: boolean
  /** Where TLS comes to nothing, a second connection may go without (RFC 7435). */
  readonly mayGoPlain: boolean
}

/** What is wrong with a policy, whatever comes of a session. */
export interface PolicyProblem {
  readonly policy: 'tlsa' | 'sts'
  readonly failure: TlsFailure
  /** It is a failure of the session, by that policy; otherwise it is only worth telling. */
  readonly isFailure: boolean
}

/** Whether a host is called, and on which terms. */
export type TlsDecision = { readonly problems: readonly PolicyProblem[] } & (
  | { readonly kind: 'dial'; readonly demands: TlsDemands }
  /** Not now. */
  | { readonly kind: 'wait'; readonly error: string }
  /** Not this message: nothing would verify the server, as REQUIRETLS demands (5.7.30). */
  | { readonly kind: 'unverifiable'; readonly error: string }
)

/** Demands of a second connection after TLS came to nothing. */
export const plaintext: TlsDemands = {
  startTls: 'none',
  dane: 'none',
  webPki: 'report',
  requireTls: false,
  mayGoPlain: false,
}

/**
 * Decides for one host by DANE (RFC 7672 §2.2), MTA-STS (RFC 8461 §5) and the wish of the sender (RFC 8689 §4). DANE and
 * an enforced policy each demand their own, so that both together demand both; where there is neither, TLS is
 * opportunistic (RFC 7435). `TLS-Required: No` takes the word of no policy for a reason to wait or to fail.
 */
export function decideTls(facts: TlsFacts): TlsDecision {
  const { requireTls } = facts
  const dane: DaneFact = facts.isAddressLiteral ? { kind: 'none' } : facts.dane
  const sts: StsFact = facts.isAddressLiteral ? { kind: 'none' } : facts.sts
  const problems = problemsOf(facts.host, dane, sts)
  const hindrance = requireTls === false ? undefined : whyWait(facts.host, dane, sts)
  if (hindrance !== undefined) return { kind: 'wait', error: hindrance, problems }
  const isEnforced = sts.kind === 'enforce' && sts.listsHost
  if (requireTls === true && dane.kind !== 'usable' && !isEnforced) {
    const error = `${facts.host} cannot be verified, by DANE or by an enforced MTA-STS policy, as the message demands (RFC 8689)`
    return { kind: 'unverifiable', error, problems }
  }
  return { kind: 'dial', demands: demandsOf(dane, isEnforced, requireTls), problems }
}

/** Why no host of a domain is to be called: nobody knows whether it has a policy (RFC 8461 §5.1). */
export function whyWaitForPolicy(problem: StsProblem, requireTls: boolean | undefined): string | undefined {
  return requireTls === false ? undefined : `the MTA-STS policy is not known: ${problem.text}`
}

function whyWait(host: string, dane: DaneFact, sts: StsFact): string | undefined {
  if (dane.kind === 'failed') return dane.failure.text
  if (sts.kind === 'enforce' && !sts.listsHost) return mismatch(host).text
  return sts.kind === 'failed' ? whyWaitForPolicy(sts.problem, undefined) : undefined
}

function demandsOf(dane: DaneFact, isEnforced: boolean, requireTls: boolean | undefined): TlsDemands {
  const hasDane = dane.kind === 'usable' || dane.kind === 'unusable'
  const mustHave = hasDane || isEnforced
  const verify = requireTls === false ? 'report' : 'verify'
  return {
    startTls: mustHave ? 'required' : 'opportunistic',
    dane: dane.kind === 'usable' ? verify : 'none',
    webPki: isEnforced ? verify : 'report',
    requireTls: requireTls === true,
    mayGoPlain: !mustHave || requireTls === false,
  }
}

function problemsOf(host: string, dane: DaneFact, sts: StsFact): readonly PolicyProblem[] {
  const isUnlisted = (sts.kind === 'testing' || sts.kind === 'enforce') && !sts.listsHost
  return [
    ...(dane.kind === 'failed' ? [problem('tlsa', dane.failure, true)] : []),
    ...(dane.kind === 'unusable' ? [problem('tlsa', unusable(host, dane.reason), false)] : []),
    ...(isUnlisted ? [problem('sts', mismatch(host), true)] : []),
  ]
}

function problem(policy: 'tlsa' | 'sts', failure: TlsFailure, isFailure: boolean): PolicyProblem {
  return { policy, failure, isFailure }
}

function unusable(host: string, reason: string): TlsFailure {
  const text = `no TLSA record of ${host} can be used: ${reason}`
  return { resultType: 'tlsa-invalid', text, reason: 'all-unusable-records+ignored' }
}

function mismatch(host: string): TlsFailure {
  const text = `the MTA-STS policy does not list ${host}`
  return { resultType: 'validation-failure', text, reason: 'mtasts-policy-mx-mismatch' }
}
