/** How much may still be sent, by the time that the stand-in is told. */
export interface SendQuota {
  /** Takes a recipient's worth each; false, and nothing taken, when the rate does not allow it. */
  take(recipients: number, maxSendRate: number, now: number): boolean
}

/**
 * At most a second's worth is saved up. Who has some left may send to many at once and then owes it: "once five seconds
 * have passed, you will be able to send again" (Amazon SES Blog, "Throttling").
 */
export function openSendQuota(): SendQuota {
  let saved = Number.POSITIVE_INFINITY
  let lastAt = 0
  return {
    take(recipients, maxSendRate, now) {
      const most = Math.max(1, maxSendRate)
      saved = Math.min(most, saved + (Math.max(0, now - lastAt) / 1000) * maxSendRate)
      lastAt = now
      if (saved < 1) return false
      saved -= recipients
      return true
    },
  }
}
