import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import {
  CreateConfigurationSetCommand,
  CreateEmailIdentityCommand,
  DeleteEmailIdentityCommand,
  GetAccountCommand,
  GetEmailIdentityCommand,
  PutEmailIdentityMailFromAttributesCommand,
  SESv2Client,
  SendEmailCommand,
  type SendEmailCommandInput,
} from '@aws-sdk/client-sesv2'
import { serveSes } from '../support/ses-stand-in.ts'

const given = process.env.POSTERN_CONTRACT_SES_ENDPOINT
const domain = `contract-${randomUUID()}.example`
const sender = `ann@${domain}`
const set = `contract-${randomUUID()}`
let client: SESv2Client

const ends: (() => Promise<void>)[] = []
before(async () => {
  const context = { after: (end: () => Promise<void>) => void ends.push(end) }
  client = given === undefined ? (await serveSes(context)).client : elsewhere(given)
  await client.send(new CreateConfigurationSetCommand({ ConfigurationSetName: set }))
  await client.send(new CreateEmailIdentityCommand({ EmailIdentity: domain }))
})
after(async () => {
  for (const end of ends) await end()
})

function elsewhere(endpoint: string): SESv2Client {
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
  return new SESv2Client({ endpoint, region: 'us-east-1', credentials, maxAttempts: 1 })
}

function message(...fields: readonly string[]): Buffer {
  return Buffer.from(`${[`From: Ann <${sender}>`, 'Subject: x', ...fields].join('\r\n')}\r\n\r\nhello\r\n`)
}

async function send(raw: Buffer, more: Partial<SendEmailCommandInput> = {}) {
  return await client.send(
    new SendEmailCommand({
      FromEmailAddress: sender,
      Destination: { ToAddresses: ['success@simulator.amazonses.com'] },
      Content: { Raw: { Data: raw } },
      ConfigurationSetName: set,
      ...more,
    }),
  )
}

suite('SES: SendEmail', () => {
  test('a raw message is accepted, and gets an id', async () => {
    const EmailTags = [{ Name: 'account', Value: 'shop' }]
    const { MessageId } = await send(message(), { EmailTags })
    assert.match(MessageId ?? '', /^[0-9a-f-]+$/)
  })

  test('without Destination the recipients are those of the message', async () => {
    const { MessageId } = await send(message('To: success@simulator.amazonses.com'), {
      Destination: undefined,
    })
    assert.ok(MessageId)
  })

  test('a field that SES lets repeat may: Received', async () => {
    assert.ok(await send(message('Received: from a.example', 'Received: from b.example')))
  })

  const once = ['From', 'Subject', 'Date', 'Message-ID', 'Return-Path', 'DKIM-Signature', 'List-Unsubscribe']
  for (const name of once) {
    test(`a second ${name} is refused (RFC 5322 §3.6; Developer Guide, "Header fields")`, async () => {
      const field = `${name}: <${sender}>`
      await assert.rejects(send(message(field, field)), {
        name: 'BadRequestException',
        message: `Duplicate header '${name}'.`,
      })
    })
  }

  test('40 MB are accepted, and not an octet more', async () => {
    const most = 40 * 1024 ** 2
    const whole = Buffer.concat([message(), Buffer.alloc(most, 'line\r\n')]).subarray(0, most + 1)
    assert.ok(await send(whole.subarray(0, most)))
    await assert.rejects(send(whole), {
      name: 'BadRequestException',
      message: /more than 41943040 bytes long/,
    })
  })

  test('a sender whose domain is no verified identity is refused, and named', async () => {
    const [stranger, other] = [`bob@${randomUUID()}.example`, `eve@${randomUUID()}.example`]
    const raw = Buffer.from(`From: ${other}\r\n\r\nx\r\n`)
    await assert.rejects(send(raw, { FromEmailAddress: stranger }), {
      name: 'MessageRejected',
      message:
        'Email address is not verified. The following identities failed the check in region US-EAST-1: ' +
        `${stranger}, ${other}`,
    })
  })

  test('the domains below an identity may send too', async () => {
    const FromEmailAddress = `ann@below.${domain}`
    assert.ok(await send(Buffer.from(`From: ${FromEmailAddress}\r\n\r\nx\r\n`), { FromEmailAddress }))
  })

  test('a configuration set that does not exist is refused', async () => {
    await assert.rejects(send(message(), { ConfigurationSetName: 'nobody' }), {
      name: 'NotFoundException',
      message: 'Configuration set <nobody> does not exist.',
    })
  })

  const requests: readonly (readonly [rule: string, Partial<SendEmailCommandInput>])[] = [
    [
      'more than 50 recipients',
      { Destination: { ToAddresses: Array.from({ length: 51 }, (_, n) => `a${n}@b.example`) } },
    ],
    ['an address that wants SMTPUTF8', { Destination: { ToAddresses: ['käthe@b.example'] } }],
    ['a tag with other characters', { EmailTags: [{ Name: 'account', Value: 'a b' }] }],
  ]
  for (const [rule, more] of requests) {
    test(`${rule} is refused`, async () => {
      await assert.rejects(send(message(), more), { name: 'BadRequestException' })
    })
  }
})

suite('SES: the account', () => {
  test('has a rate and a quota', async () => {
    const { SendQuota, SendingEnabled } = await client.send(new GetAccountCommand({}))
    assert.equal(SendingEnabled, true)
    assert.ok((SendQuota?.MaxSendRate ?? 0) >= 1)
    assert.ok((SendQuota?.Max24HourSend ?? 0) > (SendQuota?.SentLast24Hours ?? 0))
  })
})

suite('SES: identities', () => {
  const name = `other-${randomUUID()}.example`
  const read = async () => await client.send(new GetEmailIdentityCommand({ EmailIdentity: name }))

  test('a domain is created with three keys and its configuration set', async () => {
    const input = {
      EmailIdentity: name,
      ConfigurationSetName: set,
      DkimSigningAttributes: { NextSigningKeyLength: 'RSA_2048_BIT' },
    } as const
    const { IdentityType, DkimAttributes } = await client.send(new CreateEmailIdentityCommand(input))
    assert.equal(IdentityType, 'DOMAIN')
    assert.equal(new Set(DkimAttributes?.Tokens).size, 3)
    const found = await read()
    assert.deepEqual(found.DkimAttributes?.Tokens, DkimAttributes?.Tokens)
    assert.equal(found.ConfigurationSetName, set)
    await assert.rejects(client.send(new CreateEmailIdentityCommand(input)), {
      name: 'AlreadyExistsException',
    })
  })

  test('its MAIL FROM domain is below it', async () => {
    const put = async (MailFromDomain: string) =>
      await client.send(
        new PutEmailIdentityMailFromAttributesCommand({
          ...{ EmailIdentity: name, MailFromDomain, BehaviorOnMxFailure: 'USE_DEFAULT_VALUE' },
        }),
      )
    await assert.rejects(put('ses-mail.elsewhere.example'), { name: 'BadRequestException' })
    await put(`ses-mail.${name}`)
    assert.equal((await read()).MailFromAttributes?.MailFromDomain, `ses-mail.${name}`)
  })

  test('it is gone when it was deleted', async () => {
    const remove = async () => await client.send(new DeleteEmailIdentityCommand({ EmailIdentity: name }))
    await remove()
    await assert.rejects(remove(), { name: 'NotFoundException' })
    await assert.rejects(read(), { name: 'NotFoundException' })
  })
})
