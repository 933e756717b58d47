/** What a test may want different of SES, at the start or while it runs. */
export interface SesSettings {
  /** Recipients a second. */
  readonly maxSendRate: number
  /** Recipients in any 24 hours. */
  readonly max24HourSend: number
  /** `paused`: for the time being; `suspended`: for good. */
  readonly account: 'healthy' | 'paused' | 'suspended'
  /** Whether a domain counts as verified as soon as its identity is there. */
  readonly verifiesDomains: boolean
  /** Seeds what is drawn about events. */
  readonly seed: number
  /** Each event comes up to so many milliseconds late, each on its own: they overtake each other. */
  readonly eventsLateMs: number
  /** Shares from 0 to 1 of the events: those that come twice, and those that never come. */
  readonly eventsDoubled: number
  readonly eventsLost: number
  /** Share of the messages whose events come in reverse order. */
  readonly eventsReversed: number
}

/** An account in good standing, whose events come at once. */
export const usualSettings: SesSettings = {
  maxSendRate: 100,
  max24HourSend: 100_000,
  account: 'healthy',
  verifiesDomains: true,
  seed: 1,
  eventsLateMs: 0,
  eventsDoubled: 0,
  eventsLost: 0,
  eventsReversed: 0,
}

/** Throws RangeError on a setting that makes no sense, naming it. */
export function requireValidSettings(settings: SesSettings): void {
  const {
    account: _,
    verifiesDomains: __,
    seed,
    maxSendRate,
    max24HourSend,
    eventsLateMs,
    ...shares
  } = settings
  if (!Number.isSafeInteger(seed)) throw new RangeError('ses: seed must be an integer')
  for (const [name, value] of Object.entries({ maxSendRate, max24HourSend, eventsLateMs })) {
    if (!(value >= 0)) throw new RangeError(`ses: ${name} must not be negative`)
  }
  for (const [name, share] of Object.entries(shares)) {
    if (!(share >= 0 && share <= 1)) throw new RangeError(`ses: ${name} must be from 0 to 1`)
  }
}
