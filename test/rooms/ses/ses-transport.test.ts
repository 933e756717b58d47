import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SesDelivery } from '../../../shared/account/options.ts'
import { parseAddress } from '../../../shared/address/address.ts'
import { MINUTE, SECOND } from '../../../shared/base/clock.ts'
import { LARGEST_ON_SES } from '../../../shared/queue/submission-limits.ts'
import type { DeliveryOutcome, DeliveryRequest } from '../../../shared/queue/transport.ts'
import type { SesAnswer, SesEmail } from '../../../shared/ses/ses-client.ts'
import { sesTransport } from '../../../shared/ses/ses-transport.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { queuedMessage } from '../../support/queued-message.ts'

const CONTENT = 'From: Ann <ann@shop.example>\r\nBcc: x@y.example\r\nSubject: hi\r\n\r\nhi\r\n'

/** A turn that cannot be taken; while one is left, no pause can be noted. */
const FAULT = -1
const fault = () => Promise.reject(new Error('no table'))

/** A delivery to SES, which answers so; `turns` are when its turns come, after the beginning. */
async function deliver(
  changes: Partial<DeliveryRequest<SesDelivery>> = {},
  answer: SesAnswer = { kind: 'taken', messageId: 'm-1' },
  turns: readonly number[] = [0],
) {
  const clock = fakeClock()
  const begunAt = clock.now()
  const sent: SesEmail[] = []
  const pauses: number[] = []
  const logged: string[] = []
  const left = [...turns]
  let atOnce = 0
  let mostAtOnce = 0
  const transport = sesTransport({
    client: {
      send: async (email) => {
        sent.push(email)
        mostAtOnce = Math.max(mostAtOnce, ++atOnce)
        await new Promise((resolve) => setImmediate(resolve))
        atOnce--
        return answer
      },
    },
    rate: {
      takeTurn: async () => {
        const turn = left.shift() ?? 0
        return turn === FAULT ? await fault() : begunAt + turn
      },
      pause: async (until) => {
        pauses.push(until - begunAt)
        if (left.includes(FAULT)) await fault()
      },
    },
    clock,
    wait: async (milliseconds) => clock.advance(milliseconds),
    log: { info: () => {}, warn: () => {}, error: (text) => void logged.push(text) },
  })
  const outcomes = await transport.deliver({
    transport: { kind: 'ses' },
    hostname: 'shop.example',
    mailFrom: parseAddress('ann+x@shop.example'),
    messages: [queuedMessage({ account: 'shop.eu', attempts: 2 })],
    content: Buffer.from(CONTENT),
    has8bit: false,
    smtputf8: false,
    ...changes,
  })
  return {
    outcome: outcomes[0] as DeliveryOutcome,
    outcomes,
    sent,
    pauses,
    clock,
    begunAt,
    mostAtOnce,
    logged,
  }
}

test('SES: one call for each recipient, from the author, tagged with account, id and attempt', async () => {
  const messages = [1, 2].map((id) =>
    queuedMessage({
      account: 'shop.eu',
      id: id as never,
      attempts: 2,
      recipient: parseAddress(`b${id}@y.example`),
    }),
  )
  const { sent, outcomes } = await deliver({ messages }, undefined, [0, 0])
  assert.deepEqual(
    sent.map(({ from, to, tags }) => ({ from, to, tags })),
    [1, 2].map((id) => ({
      from: 'ann@shop.example',
      to: `b${id}@y.example`,
      tags: { account: 'shopDeu', id: String(id), attempt: '2' },
    })),
  )
  assert.deepEqual(
    outcomes.map(({ kind }) => kind),
    ['handed', 'handed'],
  )
  assert.doesNotMatch(String(sent[0]?.content), /Bcc/)
})

test('SES: of large messages fewer calls are made at a time, as each has copies in memory', async () => {
  const content = Buffer.alloc(30_000_000, 'x')
  content.write(CONTENT)
  const messages = Array.from({ length: 5 }, () => queuedMessage({ attempts: 1 }))
  const { mostAtOnce } = await deliver({ content, messages }, undefined, [0, 0, 0, 0, 0])
  assert.equal(mostAtOnce, 2)
})

/** What differs on SES, as the README says. */
const differences: readonly (readonly [
  rule: string,
  request: Partial<DeliveryRequest<SesDelivery>>,
  outcome: Partial<DeliveryOutcome>,
])[] = [
  ['RequireTLS cannot be promised', { requireTls: true }, { kind: 'permanent', enhancedCode: '5.7.30' }],
  ['TLS-Required: No changes nothing', { requireTls: false }, { kind: 'handed' }],
  ['SMTPUTF8 is not there', { smtputf8: true }, { kind: 'permanent', enhancedCode: '5.6.7' }],
  [
    'messages have at most 40 MB',
    { content: Buffer.alloc(LARGEST_ON_SES + 1, 'x') },
    { kind: 'permanent', enhancedCode: '5.3.4' },
  ],
  [
    'a message needs an author',
    { content: Buffer.from('Subject: hi\r\n\r\nhi\r\n') },
    { kind: 'permanent', enhancedCode: '5.6.0' },
  ],
]

for (const [rule, request, expected] of differences) {
  test(`SES: ${rule}`, async () => {
    const { outcome, sent } = await deliver(request)
    assert.deepEqual({ ...outcome, ...expected }, outcome)
    assert.equal(sent.length, expected.kind === 'handed' ? 1 : 0)
  })
}

const refused = (name: string, message = 'no', status = 400): SesAnswer => ({
  kind: 'refused',
  status,
  name,
  message,
})

const answers: readonly (readonly [rule: string, answer: SesAnswer, outcome: string, pauseMs?: number])[] = [
  ['acceptance is no delivery', { kind: 'taken', messageId: 'm' }, 'handed'],
  [
    'throttling is a short delay for all',
    refused('TooManyRequestsException', 'no', 429),
    'postponed 5000',
    5 * SECOND,
  ],
  [
    'so is a rate that was exceeded',
    refused('BadRequestException', 'Maximum sending rate exceeded.'),
    'postponed 5000',
    5 * SECOND,
  ],
  [
    'a quota used up is a longer one',
    refused('LimitExceededException', 'Daily message quota exceeded.'),
    'postponed 300000',
    5 * MINUTE,
  ],
  ['so is a suspended account', refused('AccountSuspendedException'), 'postponed 300000', 5 * MINUTE],
  ['so is paused sending', refused('SendingPausedException'), 'postponed 300000', 5 * MINUTE],
  [
    'a fault of SES is a delay of this message',
    refused('InternalServiceErrorException', 'no', 500),
    'postponed 60000',
  ],
  ['so is SES out of reach', { kind: 'unreached', error: 'ECONNREFUSED' }, 'postponed 60000'],
  ['a call that broke off may have been taken', { kind: 'unknown', error: 'ECONNRESET' }, 'unknown'],
  [
    'an identity that is not verified is for the operator',
    refused('MessageRejected', 'Email address is not verified.'),
    'temporary',
  ],
  ['so is a MAIL FROM domain', refused('MailFromDomainNotVerifiedException'), 'temporary'],
  [
    'so is a configuration set',
    refused('BadRequestException', 'Configuration set <x> does not exist.'),
    'temporary',
  ],
  ['so is a set that is not found', refused('NotFoundException', 'no', 404), 'temporary'],
  [
    'so is a missing permission',
    refused('AccessDeniedException', 'not authorized to perform', 403),
    'temporary',
  ],
  ['a message that is rejected stays so', refused('MessageRejected', 'Content is bad'), 'permanent'],
  ['so does one that is malformed', refused('BadRequestException', "Duplicate header 'To'."), 'permanent'],
  ['so does one that is too large', refused('RequestEntityTooLarge', 'no', 413), 'permanent'],
]

for (const [rule, answer, expected, pauseMs] of answers) {
  test(`SES: ${rule}`, async () => {
    const { outcome, pauses, begunAt } = await deliver({}, answer)
    const until = outcome.kind === 'postponed' ? ` ${outcome.until - begunAt}` : ''
    assert.equal(`${outcome.kind}${until}`, expected)
    assert.deepEqual(pauses, pauseMs === undefined ? [] : [pauseMs])
  })
}

test('SES: a call is made at its turn', async () => {
  const { clock, begunAt, sent } = await deliver({}, undefined, [1_500])
  assert.equal(clock.now() - begunAt, 1_500)
  assert.equal(sent.length, 1)
})

test('SES: a turn that was missed is not made up for; another one is taken', async () => {
  const { clock, begunAt } = await deliver({}, undefined, [-600, 200])
  assert.equal(clock.now() - begunAt, 200)
})

test('SES: what has no turn while the function lives goes back, unattempted', async () => {
  const { outcome, sent, begunAt } = await deliver({}, undefined, [31 * SECOND])
  assert.ok(outcome.kind === 'postponed' && outcome.until === begunAt + 31 * SECOND)
  assert.equal(sent.length, 0)
})

test('SES: where no turn can be taken, the message goes back unattempted, and those beside it go', async () => {
  const messages = [1, 2].map((id) => queuedMessage({ id: id as never, attempts: 1 }))
  const { outcomes, sent, logged, begunAt } = await deliver({ messages }, undefined, [FAULT, 0])
  assert.deepEqual(
    outcomes.map((outcome) => (outcome.kind === 'postponed' ? outcome.until - begunAt : outcome.kind)),
    [MINUTE, 'handed'],
  )
  assert.deepEqual([sent.length, logged], [1, ['no turn of SES could be taken']])
})

test('SES: a pause that cannot be noted takes nothing from the outcome', async () => {
  const { outcome, logged } = await deliver({}, refused('TooManyRequestsException', 'slow', 429), [0, FAULT])
  assert.equal(outcome.kind, 'postponed')
  assert.deepEqual(logged, ['a pause of SES could not be noted'])
})
