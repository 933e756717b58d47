import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { eventually } from '../../scripts/eventually.ts'
import { formatInstant, HOUR, MINUTE } from '../../shared/base/clock.ts'
import type { Ending } from './transport-differences.ts'
import { authors, type Sent, UNHEARD, type Way, type WayName } from './transport-ways.ts'
import { PATIENCE, type TransportWorld } from './transport-world.ts'

/** Something that befalls messages, whatever way they take. */
export interface Scenario {
  /** Sends them to the way's domain, and does what belongs to it. */
  readonly run: (world: TransportWorld, way: Way) => Promise<readonly Sent[]>
  /** How each of them ends, where that is not as `delivered` says. */
  readonly endings: readonly Partial<Ending>[]
  /** What of the content at the next hop is of interest. */
  readonly contentOf?: (content: string) => string
  /** Left out: all of them. */
  readonly ways?: readonly WayName[]
}

const failed550: Partial<Ending> = {
  events: ['failed 550 5.1.1, suppressing'],
  results: ['failure 550 1.1'],
  state: 'failed',
  mails: 1,
  suppressed: true,
}
const failed554: Partial<Ending> = {
  events: ['failed 554 5.0.0'],
  results: ['failure 554 0.0'],
  state: 'failed',
  mails: 1,
}
const afterDelay: Partial<Ending> = {
  events: ['delayed 451 4.0.0', 'delivered'],
  results: ['failure 451 0.0', 'success 250 0.0'],
  asked: 2,
}

/** The sender wants to know that lines, dots and octets stay as they are. */
const LARGE_TEXT = Array.from({ length: 4000 }, (_, line) => `.${line} ${'x'.repeat(line % 70)}`).join('\n')
const MB = 1_000_000
/** In base64 more than the 40 MB that SES takes, and less than the 100 MB that are taken at all. */
const LARGER_THAN_SES_TAKES = 31 * MB

/** The scenarios of the queue that do not depend on how mail leaves, by name. */
export const scenarios: Readonly<Record<string, Scenario>> = {
  'AT-33, AT-41a: a message is delivered, and its event has Extra, FromID and Message-ID': {
    run: async ({ send }, way) => [await send(`ann@${way.domain}`)],
    endings: [{}],
  },

  'AT-41c, AT-41d: a 550 fails for good, gives a notice and suppresses; then nobody is asked any more': {
    async run({ send, told }, way) {
      const first = await send(`bob+550@${way.domain}`)
      await told(first, 'failed')
      return [first, await send(`bob+550@${way.domain}`)]
    },
    endings: [failed550, { ...failed550, events: ['suppressed'], results: ['failure 0'] }],
  },

  'AT-74: the third message in a row that fails for good suppresses': {
    async run({ send, told }, way) {
      const sent: Sent[] = []
      for (let message = 0; message < 3; message++) {
        const each = await send(`carol+554@${way.domain}`)
        await told(each, 'failed')
        sent.push(each)
      }
      return sent
    },
    endings: [
      { ...failed554, asked: 3, suppressed: true },
      { ...failed554, asked: 3, suppressed: true },
      { ...failed554, asked: 3, suppressed: true, events: ['failed 554 5.0.0, suppressing'] },
    ],
  },

  'AT-30: what is not taken at first is told as delayed, and delivered': {
    async run({ send, told }, way) {
      const recipient = `dan@${way.domain}`
      const message = await way.putOff(recipient, () => send(recipient))
      await told(message, 'delayed')
      await way.take(message)
      return [message]
    },
    endings: [afterDelay],
  },

  'AT-40: who is never taken gets eight attempts, a notice of the delay and one of the failure': {
    async run({ send, told, events }, way) {
      const recipient = `eve+451@${way.domain}`
      const message = await way.putOff(recipient, () => send(recipient))
      await told(message, 'delayed')
      for (let attempts = 1; !events(message).at(-1)?.startsWith('failed'); attempts++) {
        await way.refuseAgain(message, attempts)
        await eventually('the next event', () => events(message).length > attempts, PATIENCE)
      }
      return [message]
    },
    endings: [
      {
        events: [...Array.from({ length: 7 }, () => 'delayed 451 4.0.0'), 'failed 451 4.0.0'],
        results: Array.from({ length: 8 }, () => 'failure 451 0.0'),
        state: 'failed',
        asked: 8,
        mails: 2,
      },
    ],
  },

  'AT-34, AT-37: of two recipients of a Send one fails, and the other one is delivered': {
    run: async ({ sendToAll }, way) =>
      await sendToAll([`fay@${way.domain}`, `flo+550@${way.domain}`], { login: 'postern+x@localhost' }),
    // The notice is about both.
    endings: [{ mails: 1 }, failed550],
  },

  'AT-47: what was delivered comes back': {
    async run({ send, told }, way) {
      const message = await send(`gus@${way.domain}`)
      await told(message, 'delivered')
      await way.bounce(message)
      return [message]
    },
    endings: [
      {
        events: ['delivered', 'failed 550 5.1.1, suppressing, DSN'],
        results: ['success 250 0.0', 'failure 550 1.1'],
        state: 'failed',
        mails: 1,
        suppressed: true,
      },
    ],
  },

  'AT-49: the recipient complains': {
    async run({ send, told }, way) {
      const message = await send(`hal@${way.domain}`)
      await told(message, 'delivered')
      await way.complain(message)
      return [message]
    },
    endings: [{ events: ['delivered', 'unrecognized'], results: ['success 250 0.0', 'failure 0'], mails: 1 }],
  },

  'AT-42: what is on hold goes nowhere, and once it is released, at once': {
    async run({ send, act, now, advance }, way) {
      const message = await send(`ida@${way.domain}`, later(now()))
      await act('hold', message)
      await act('schedule', message, { At: 'now' })
      await advance(2 * MINUTE)
      assert.equal(way.asked(message.recipient), 0)
      await act('release', message)
      return [message]
    },
    endings: [{}],
  },

  'AT-72: a message is delivered at its time, and not before': {
    async run({ send, now, advance }, way) {
      const message = await send(`jim@${way.domain}`, later(now()))
      await advance(59 * MINUTE)
      assert.equal(way.asked(message.recipient), 0)
      await advance(2 * MINUTE)
      return [message]
    },
    endings: [{}],
  },

  'AT-41e: an operator drops what is delayed': {
    async run({ send, told, act }, way) {
      const recipient = `kay@${way.domain}`
      const message = await way.putOff(recipient, () => send(recipient))
      await told(message, 'delayed')
      const { Changed } = await act('drop', message)
      if (Changed === 0) await way.take(message)
      return [message]
    },
    endings: [
      {
        events: ['delayed 451 4.0.0', 'canceled'],
        results: ['failure 451 0.0', 'failure 0'],
        state: 'failed',
      },
    ],
  },

  'AT-38: an operator chooses another transport for what waits': {
    async run({ send, act, now, elsewhere }, way) {
      const message = await send(`leo@${way.domain}`, later(now()))
      await act('transport', message, { Transport: 'elsewhere' })
      await act('schedule', message, { At: 'now' })
      await eventually('it is elsewhere', () => elsewhere.asked(message.recipient) === 1)
      return [message]
    },
    endings: [{ asked: 0 }],
  },

  'AT-77: after the first attempt the next route applies: from relay to direct, to SES, to relay': {
    async run({ send, told, advance }, way) {
      const recipient = `mia@then.${way.domain}`
      const message =
        way.name === 'ses'
          ? await send(recipient, { From: authors.unverified })
          : await way.putOff(recipient, () => send(recipient))
      await told(message, 'delayed')
      await advance(8 * MINUTE)
      return [message]
    },
    endings: [{ ...afterDelay, asked: 1 }],
  },

  'AT-39d: RequireTLS': {
    run: async ({ send }, way) => [await send(`nia@${way.domain}`, { RequireTLS: true })],
    endings: [{}],
  },

  'AT-39g: RequireTLS is false': {
    run: async ({ send }, way) => [await send(`oda@${way.domain}`, { RequireTLS: false })],
    endings: [{}],
  },

  'RFC 6531: the recipient’s address is international': {
    run: async ({ send }, way) => [await send(`jürgen@${way.domain}`)],
    endings: [{}],
  },

  'a large message arrives as it was sent': {
    run: async ({ send }, way) => [await send(`pam@${way.domain}`, { Text: LARGE_TEXT })],
    endings: [{ content: 'all of it' }],
    contentOf(content) {
      const body = content.slice(content.indexOf('\r\n\r\n') + 4)
      const lines = body.trimEnd().split('\r\n')
      return lines.join('\n') === LARGE_TEXT ? 'all of it' : `${lines.length} lines`
    },
  },

  'AT-72: a message of 42 MB is accepted': {
    // It takes some seconds, and a relay is no other than a server of the recipient.
    ways: ['direct', 'ses'],
    async run({ sendUpload, act, now }, way) {
      const file = randomBytes(LARGER_THAN_SES_TAKES)
      const message = await sendUpload(`quin@${way.domain}`, file, later(now()))
      if (message.refused === undefined) await act('drop', message)
      return [message]
    },
    endings: [{ events: ['canceled'], results: ['failure 0'], state: 'failed', asked: 0 }],
  },

  'the author’s domain is not verified by SES': {
    run: async ({ send }, way) => [await send(`rob@${way.domain}`, { From: authors.unverified })],
    endings: [{}],
  },

  'DKIM: who has signed': {
    run: async ({ send }, way) => [await send(`sue@${way.domain}`)],
    endings: [{ content: 'Postern, for sender.test' }],
    contentOf(content) {
      const [header = ''] = content.split('\r\n\r\n')
      const [, domain] = /^DKIM-Signature:(?:[^\r]|\r\n[ \t])*\bd=([^;]+);/m.exec(header) ?? []
      return domain === undefined ? 'nobody yet' : `Postern, for ${domain}`
    },
  },

  'the next hop takes nothing for now': {
    async run({ send, advance, told }, way) {
      // What SES grants is asked of it every six minutes at least.
      await advance(7 * MINUTE)
      way.close(true)
      const message = await send(`tim@${way.domain}`)
      if (way.name !== 'ses') await told(message, 'delayed')
      await advance(MINUTE)
      way.close(false)
      await advance(9 * MINUTE)
      return [message]
    },
    endings: [
      {
        events: ['delayed 421 4.7.0', 'delivered'],
        results: ['failure 421 7.0', 'success 250 0.0'],
      },
    ],
  },

  'the next hop has the message, and has not told anything more': {
    async run({ send }, way) {
      way.keepSilent(true)
      const message = await send(`una@${way.domain}`)
      await eventually('it is taken', () => way.asked(message.recipient) === 1)
      way.keepSilent(false)
      return [message]
    },
    endings: [{}],
  },

  'the next hop never tells anything more': {
    async run({ send, advance }, way) {
      way.keepSilent(true)
      const message = await send(`ula@${way.domain}`)
      await eventually('it is taken', () => way.asked(message.recipient) === 1)
      way.keepSilent(false)
      await advance(UNHEARD)
      return [message]
    },
    endings: [{}],
  },
}

function later(now: number): { readonly FutureRelease: string } {
  return { FutureRelease: formatInstant(now + HOUR) }
}
