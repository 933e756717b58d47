import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, type TestContext, test } from 'node:test'
import {
  CreateConfigurationSetCommand,
  CreateConfigurationSetEventDestinationCommand,
  CreateEmailIdentityCommand,
  EventType,
  GetEmailIdentityCommand,
  PutAccountSendingAttributesCommand,
  SendEmailCommand,
} from '@aws-sdk/client-sesv2'
import type { JsonObject } from '../../infra/local/gateway/json-service.ts'
import { openSes } from '../../infra/local/ses/ses.ts'
import type { SesSettings } from '../../infra/local/ses/settings.ts'
import { eventually } from '../../scripts/eventually.ts'
import { type ServedSes, serveSes } from '../support/ses-stand-in.ts'

const EventBridgeDestination = { EventBusArn: 'arn:aws:events:us-east-1:000000000000:event-bus/default' }

/** With an identity and a configuration set whose events of all types are published. */
async function ready(
  t: TestContext,
  settings: Partial<SesSettings> = {},
  now = Date.now,
): Promise<ServedSes> {
  const ses = await serveSes(t, { settings, now })
  await ses.client.send(new CreateEmailIdentityCommand({ EmailIdentity: 'shop.example' }))
  await ses.client.send(new CreateConfigurationSetCommand({ ConfigurationSetName: 'all' }))
  await ses.client.send(
    new CreateConfigurationSetEventDestinationCommand({
      ...{ ConfigurationSetName: 'all', EventDestinationName: 'bus' },
      EventDestination: {
        Enabled: true,
        MatchingEventTypes: Object.values(EventType),
        EventBridgeDestination,
      },
    }),
  )
  return ses
}

async function send({ client }: ServedSes, ...ToAddresses: readonly string[]) {
  return await client.send(
    new SendEmailCommand({
      ...{ FromEmailAddress: 'ann@shop.example', ConfigurationSetName: 'all' },
      Destination: { ToAddresses: [...ToAddresses] },
      Content: { Raw: { Data: Buffer.from('From: ann@shop.example\r\nSubject: x\r\n\r\nx\r\n') } },
      EmailTags: [{ Name: 'account', Value: 'shop' }],
    }),
  )
}

async function eventsOf(ses: ServedSes, count: number): Promise<readonly JsonObject[]> {
  return await eventually(`${count} events`, () => (ses.events.length >= count ? ses.events : undefined))
}

const typesOf = (events: readonly JsonObject[]) => events.map((event) => event['detail-type'])

suite('local SES: events', () => {
  test('an event is in the envelope of EventBridge, and has the tags', async (t) => {
    const ses = await ready(t)
    const { MessageId } = await send(ses, 'bob@b.example')
    const [sent] = await eventsOf(ses, 2)
    assert.partialDeepStrictEqual(sent, {
      version: '0',
      'detail-type': 'Email Sent',
      source: 'aws.ses',
      account: '000000000000',
      region: 'us-east-1',
      resources: ['arn:aws:ses:us-east-1:000000000000:configuration-set/all'],
      detail: {
        eventType: 'Send',
        mail: {
          messageId: MessageId,
          source: 'ann@shop.example',
          destination: ['bob@b.example'],
          tags: { account: ['shop'], 'ses:configuration-set': ['all'] },
        },
      },
    })
  })

  const recipients: readonly (readonly [address: string, ...types: readonly string[]])[] = [
    ['success@simulator.amazonses.com', 'Email Delivered'],
    ['success+label@simulator.amazonses.com', 'Email Delivered'],
    ['bounce@simulator.amazonses.com', 'Email Bounced'],
    ['complaint@simulator.amazonses.com', 'Email Delivered', 'Email Complaint Received'],
    ['ooto@simulator.amazonses.com', 'Email Delivered'],
    ['suppressionlist@simulator.amazonses.com', 'Email Bounced'],
    ['bob+permerror@b.example', 'Email Bounced'],
    ['bob+temperror@b.example', 'Email Delivery Delayed', 'Email Bounced'],
    ['bob@b.example', 'Email Delivered'],
  ]
  for (const [address, ...types] of recipients) {
    test(`${address}: ${types.join(', ')}`, async (t) => {
      const ses = await ready(t)
      await send(ses, address)
      assert.deepEqual(typesOf(await eventsOf(ses, types.length + 1)), ['Email Sent', ...types])
    })
  }

  test('a code in the local part is the code of the bounce', async (t) => {
    const ses = await ready(t)
    await send(ses, 'bob+552@b.example')
    const { detail } = (await eventsOf(ses, 2))[1] as { detail: { bounce: { bouncedRecipients: object[] } } }
    assert.partialDeepStrictEqual(detail.bounce, {
      bounceType: 'Permanent',
      bouncedRecipients: [
        { action: 'failed', status: '5.0.0', diagnosticCode: 'smtp; 552 5.0.0 simulated failure' },
      ],
    })
  })

  test('header fields beyond 10 KB are left out of events, which says so', async (t) => {
    const ses = await ready(t)
    const long = `X-Long: ${'x'.repeat(10_240)}`
    const Data = Buffer.from(`From: ann@shop.example\r\nTo: bob@b.example\r\n${long}\r\n\r\nx\r\n`)
    await ses.client.send(new SendEmailCommand({ Content: { Raw: { Data } }, ConfigurationSetName: 'all' }))
    const { detail } = (await eventsOf(ses, 2))[0] as { detail: { mail: { headers: object[] } } }
    assert.partialDeepStrictEqual(detail.mail, { headersTruncated: true })
    assert.equal(detail.mail.headers.length, 2)
  })

  test('events come twice, in reverse order, or never, as the settings say', async (t) => {
    const ses = await ready(t, { eventsLost: 1 })
    await send(ses, 'bob@b.example')
    ses.set({ eventsLost: 0, eventsReversed: 1, eventsDoubled: 1 })
    await send(ses, 'bob@b.example')
    const twice = ['Email Delivered', 'Email Delivered', 'Email Sent', 'Email Sent']
    assert.deepEqual(typesOf(await eventsOf(ses, 4)), twice)
  })

  test('late events come when their time has come, each at its own', async (t) => {
    let now = Date.now()
    const ses = await ready(t, { eventsLateMs: 3_600_000 }, () => now)
    await send(ses, 'bob@b.example')
    assert.deepEqual(ses.events, [])
    now += 3_600_000
    ses.moved()
    await eventsOf(ses, 2)
  })

  test('what waits outlives a restart, and an event that nobody took comes again', async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'ses-'))
    t.after(() => rmSync(directory, { recursive: true }))
    const deployment = { stack: 'Test', region: 'us-east-1', accountId: '000000000000' }
    const open = () => openSes({ directory, deployment, now: Date.now, onLog: () => {} })
    const first = open()
    await first.call('CreateEmailIdentity', { EmailIdentity: 'shop.example' })
    await first.call('CreateConfigurationSet', { ConfigurationSetName: 'all' })
    await first.call('CreateConfigurationSetEventDestination', {
      ...{ ConfigurationSetName: 'all', EventDestinationName: 'bus' },
      EventDestination: { Enabled: true, MatchingEventTypes: ['DELIVERY'], EventBridgeDestination },
    })
    const Data = Buffer.from('From: a@shop.example\r\nTo: b@b.example\r\n\r\nx\r\n').toString('base64')
    await first.call('SendEmail', { Content: { Raw: { Data } }, ConfigurationSetName: 'all' })
    await new Promise<void>((resolve) => {
      first.publishTo(async () => {
        resolve()
        throw new Error('nobody is there')
      })
    })
    first.close()
    const second = open()
    t.after(() => second.close())
    assert.equal(second.accepted().length, 1)
    const event = await new Promise<JsonObject>((resolve) => second.publishTo(async (each) => resolve(each)))
    assert.equal(event['detail-type'], 'Email Delivered')
  })
})

suite('local SES: quotas', () => {
  test('the rate is kept by its own clock, and a second’s worth at most is saved up', async (t) => {
    let now = Date.now()
    const ses = await ready(t, { maxSendRate: 2 }, () => now)
    const throttled = { name: 'TooManyRequestsException', message: 'Maximum sending rate exceeded.' }
    now += 10_000
    await send(ses, 'a@b.example')
    await send(ses, 'b@b.example')
    await assert.rejects(send(ses, 'c@b.example'), throttled)
    now += 499
    await assert.rejects(send(ses, 'c@b.example'), throttled)
    now += 1
    await send(ses, 'c@b.example')
  })

  test('each recipient counts', async (t) => {
    let now = Date.now()
    const ses = await ready(t, { maxSendRate: 1 }, () => now)
    await send(ses, 'a@b.example', 'b@b.example', 'c@b.example')
    now += 2_999
    await assert.rejects(send(ses, 'd@b.example'), { name: 'TooManyRequestsException' })
    now += 1
    await send(ses, 'd@b.example')
  })

  test('the quota is of any 24 hours', async (t) => {
    let now = Date.now()
    const ses = await ready(t, { max24HourSend: 1 }, () => now)
    await send(ses, 'a@b.example')
    await assert.rejects(send(ses, 'a@b.example'), {
      name: 'TooManyRequestsException',
      message: 'Daily message quota exceeded.',
    })
    now += 24 * 3_600_000
    await send(ses, 'a@b.example')
  })

  test('a paused and a suspended account send nothing', async (t) => {
    const ses = await ready(t, { account: 'paused' })
    await assert.rejects(send(ses, 'a@b.example'), { name: 'SendingPausedException' })
    ses.set({ account: 'suspended' })
    await assert.rejects(send(ses, 'a@b.example'), { name: 'AccountSuspendedException' })
    ses.set({ account: 'healthy' })
    await ses.client.send(new PutAccountSendingAttributesCommand({ SendingEnabled: false }))
    await assert.rejects(send(ses, 'a@b.example'), { name: 'SendingPausedException' })
    assert.deepEqual(ses.accepted(), [])
  })
})

test('local SES: a domain waits for its DNS where the settings say so', async (t) => {
  const ses = await ready(t, { verifiesDomains: false })
  const { VerifiedForSendingStatus, DkimAttributes } = await ses.client.send(
    new GetEmailIdentityCommand({ EmailIdentity: 'shop.example' }),
  )
  assert.deepEqual([VerifiedForSendingStatus, DkimAttributes?.Status], [false, 'PENDING'])
  await assert.rejects(send(ses, 'a@b.example'), { name: 'MessageRejected' })
})

test('local SES: a setting that makes no sense is refused by name', async (t) => {
  const ses = await ready(t)
  assert.throws(() => ses.set({ eventsLost: 2 }), /eventsLost must be from 0 to 1/)
  assert.throws(() => ses.set({ maxSendRate: -1 }), /maxSendRate must not be negative/)
})
