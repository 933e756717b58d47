import type { QueuedMessageJson } from '../../shared/admin/message-json.ts'
import type { WayName } from './transport-ways.ts'

/** What is known of a message in the end. */
export interface Ending {
  /** What its account was told, in that order: the event, its code, and what else is true of it. */
  readonly events: readonly string[]
  /** Its attempts and what was told after them: the success, code and enhanced code of each. */
  readonly results: readonly string[]
  readonly state: 'succeeded' | 'failed' | QueuedMessageJson['State'] | `refused: ${string}`
  /** How often the next hop was asked to take mail for its recipient. */
  readonly asked: number
  /** Notices and notifications about its Send in the sender's Inbox. */
  readonly mails: number
  /** Its recipient is on the suppression list. */
  readonly suppressed: boolean
  /** What a scenario looks for in the message that the next hop was given. */
  readonly content: string
}

/** As most messages end, by whatever way. */
export const delivered: Ending = {
  events: ['delivered'],
  results: ['success 250 0.0'],
  state: 'succeeded',
  asked: 1,
  mails: 0,
  suppressed: false,
  content: '',
}

/** How a scenario ends otherwise by one way: message by message, where it differs from the usual end. */
interface Difference {
  readonly endings: readonly Partial<Ending>[]
  /** The row of the README's table "What differs on SES"; left out, the servers of this test differ, not the ways. */
  readonly row?: string
}

/** What differs, by scenario and way. */
export const differences: Readonly<Record<string, Partial<Record<WayName, Difference>>>> = {
  'AT-30: what is not taken at first is told as delayed, and delivered': {
    ses: { row: 'delayed', endings: [{ results: ['success 250 0.0', 'failure 451 0.0'], asked: 1 }] },
  },
  'AT-40: who is never taken gets eight attempts, a notice of the delay and one of the failure': {
    ses: {
      row: 'failed',
      endings: [
        {
          events: ['delayed 451 4.0.0', 'failed 451 4.0.0'],
          results: ['failure 451 0.0', 'failure 451 0.0'],
          asked: 1,
          mails: 1,
        },
      ],
    },
  },
  'AT-47: what was delivered comes back': {
    ses: {
      row: 'bounce after delivery',
      endings: [{ events: ['delivered', 'failed 550 5.1.1, suppressing'], mails: 0 }],
    },
  },
  'AT-49: the recipient complains': {
    ses: {
      row: 'unrecognized',
      endings: [{ events: ['delivered', 'unrecognized, suppressing'], mails: 0, suppressed: true }],
    },
  },
  'AT-41e: an operator drops what is delayed': {
    ses: {
      row: 'hold, fail, drop',
      endings: [
        {
          events: ['delayed 451 4.0.0', 'delivered'],
          results: ['success 250 0.0', 'failure 451 0.0'],
          state: 'succeeded',
        },
      ],
    },
  },
  'AT-77: after the first attempt the next route applies: from relay to direct, to SES, to relay': {
    // SES refuses to send for a domain that is not verified: the message was not its.
    ses: {
      row: 'author',
      endings: [{ events: ['delayed', 'delivered'], results: ['failure 0', 'success 250 0.0'], asked: 0 }],
    },
  },
  'AT-39d: RequireTLS': {
    relay: {
      endings: [{ events: ['failed'], results: ['failure 0 7.30'], state: 'failed', asked: 0, mails: 1 }],
    },
    ses: {
      row: 'RequireTLS: true',
      endings: [{ events: ['failed'], results: ['failure 0 7.30'], state: 'failed', asked: 0, mails: 1 }],
    },
  },
  'RFC 6531: the recipient’s address is international': {
    ses: {
      row: 'international addresses (SMTPUTF8)',
      endings: [{ events: ['failed'], results: ['failure 0 6.7'], state: 'failed', asked: 0, mails: 1 }],
    },
  },
  'AT-72: a message of 42 MB is accepted': {
    ses: { row: 'size', endings: [{ events: [], results: [], state: 'refused: messageTooLarge' }] },
  },
  'the author’s domain is not verified by SES': {
    ses: {
      row: 'author',
      endings: [{ events: ['delayed'], results: ['failure 0'], state: 'waiting', asked: 0 }],
    },
  },
  'DKIM: who has signed': {
    ses: { row: 'signature (DKIM)', endings: [{ content: 'nobody yet' }] },
  },
  'the next hop takes nothing for now': {
    ses: { row: 'rate', endings: [{ events: ['delivered'], results: ['success 250 0.0'] }] },
  },
  'the next hop has the message, and has not told anything more': {
    ses: { row: 'delivered', endings: [{ events: [], results: ['failure 250'], state: 'handed' }] },
  },
  'the next hop never tells anything more': {
    ses: { row: 'relayed', endings: [{ events: ['relayed'], results: ['success 250'] }] },
  },
}

/** Rows of the README's table that no scenario shows, and the tests that do. */
export const shownElsewhere: Readonly<Record<string, string>> = {
  'worker that dies while it sends': 'test/adapters/aws/ses-stores.test.ts',
  'header fields': 'test/rooms/ses/ses-content.test.ts',
  // SES does that itself: the local one changes nothing; scenarios see the Message-ID that was sent in their events.
  'Message-ID, Date, reverse-path': 'test/rooms/ses/ses-transport.test.ts',
}
