import type { Address } from '../address/address.ts'
import { FROM_ID_LENGTH } from '../queue/from-id.ts'
import type { Refusal } from '../smtp/refusal.ts'

/** Where in the mail transaction (RFC 5321 §3.3) a simulated failure happens. */
export type FailureStage = 'mail' | 'rcpt' | 'data'

export interface SimulatedFailure {
  readonly stage: FailureStage
  readonly refusal: Refusal
  /** The peer is left without an answer for this long; 0 answers at once. */
  readonly silentMs: number
}

const SILENCE_MS = 3_600_000

/**
 * The failure that a special address asks for, so that a test can see what its application does about it:
 * a local part that ends in `temperror`, `permerror`, `timeout` or a code from 400 to 599. It happens after DATA;
 * with the prefix `mailfrom` or `rcptto` at that command.
 */
export function simulatedFailure(localpart: string): SimulatedFailure | undefined {
  const ending = failureEnding(localpart)
  if (ending === undefined) return undefined
  const code = CODES.get(ending) ?? Number(ending)
  const stage = localpart.startsWith('mailfrom') ? 'mail' : localpart.startsWith('rcptto') ? 'rcpt' : 'data'
  const refusal = {
    code,
    enhancedCode: `${Math.floor(code / 100)}.0.0`,
    // One of a thousand addresses may end so by chance, and wants to be found.
    text: `simulated failure: a local part ends in ${ending}`,
  }
  return { stage, refusal, silentMs: ending === 'timeout' ? SILENCE_MS : 0 }
}

/** Answers as the first address that asks for a failure at that stage wants it, after its silence. */
export async function simulate(
  ports: { wait(milliseconds: number, signal: AbortSignal): Promise<void> },
  stage: FailureStage,
  addresses: readonly Address[],
  peerGone: AbortSignal,
): Promise<Refusal | undefined> {
  const failures = addresses.map(({ localpart }) => simulatedFailure(localpart))
  const failure = failures.find((candidate) => candidate?.stage === stage)
  if (failure && failure.silentMs > 0) await ports.wait(failure.silentMs, peerGone)
  return failure?.refusal
}

/**
 * There is one reply to the data, so a failure there would be everybody's: whoever asks for one is to be alone in a
 * transaction, and others are to go in another.
 */
export function mustGoApart(accepted: readonly string[], next: string): boolean {
  const failsAtData = (localpart: string) => simulatedFailure(localpart)?.stage === 'data'
  return accepted.length > 0 && [next, ...accepted].some(failsAtData)
}

/** A FromID ends in such a code now and then, and asks for nothing. */
const FROM_ID = new RegExp(`[^a-z0-9][a-z2-7]{${FROM_ID_LENGTH}}$`, 'i')

const CODES: ReadonlyMap<string, number> = new Map([
  ['permerror', 550],
  ['temperror', 451],
  ['timeout', 451],
])

function failureEnding(localpart: string): string | undefined {
  if (FROM_ID.test(localpart)) return undefined
  return /(?:permerror|temperror|timeout|[45]\d\d)$/.exec(localpart)?.[0]
}
