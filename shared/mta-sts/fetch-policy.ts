import { type Instant, SECOND } from '../base/clock.ts'
import { extendedErrorReason } from '../dns/extended-error.ts'
import { MAX_AGE_SECONDS, parsePolicy, type StsPolicy } from './policy.ts'
import type { FetchedPolicy, PolicyFetcher } from './policy-fetcher.ts'
import type { StsProblem } from './problem.ts'

/** The policy of a domain, or why it could not be had. */
type Fetched = { readonly policy: StsPolicy } | { readonly policy?: undefined; readonly problem: StsProblem }

/** Gets the policy of a domain from its policy host and reads it (RFC 8461 §3.3). */
export async function fetchPolicy(
  fetcher: PolicyFetcher,
  domain: string,
  longestMs: number,
): Promise<Fetched> {
  const fetched = await fetcher.fetch(domain, longestMs)
  if (fetched.kind !== 'fetched') return { problem: problemOf(fetched) }
  const read = parsePolicy(fetched.text)
  if ('policy' in read) return read
  const text = `the policy is malformed: ${read.problem}`
  return { problem: { text, resultType: 'sts-policy-invalid', reason: 'policy-syntax-error' } }
}

/** How long a policy counts that is the domain's at an instant: max_age (RFC 8461 §3.2). */
export function validUntil({ maxAgeSeconds }: StsPolicy, at: Instant): Instant {
  return at + Math.min(maxAgeSeconds, MAX_AGE_SECONDS) * SECOND
}

function problemOf(fetched: Exclude<FetchedPolicy, { readonly kind: 'fetched' }>): StsProblem {
  const { kind, problem: text } = fetched
  if (kind === 'none') return { text, resultType: 'sts-policy-fetch-error', reason: 'no-policy-served' }
  if (fetched.certificate !== undefined) {
    return { text, resultType: 'sts-webpki-invalid', reason: fetched.certificate }
  }
  return {
    text,
    resultType: 'sts-policy-fetch-error',
    reason: extendedErrorReason(fetched) ?? 'cannot-fetch-policy',
  }
}
