import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import {
  CreateConfigurationSetCommand,
  CreateEmailIdentityCommand,
  GetEmailIdentityCommand,
  PutEmailIdentityMailFromAttributesCommand,
} from '@aws-sdk/client-sesv2'
import { awsSesIdentities } from '../../../shared/adapters/aws/ses-identities.ts'
import { parseDomainName } from '../../../shared/address/domain-name.ts'
import { serveSes } from '../../support/ses-stand-in.ts'

const shop = parseDomainName('shop.example')
const mailFrom = 'ses-mail.shop.example'

async function ready(t: TestContext) {
  const { client } = await serveSes(t)
  await client.send(new CreateConfigurationSetCommand({ ConfigurationSetName: 'ours' }))
  await client.send(new CreateConfigurationSetCommand({ ConfigurationSetName: 'theirs' }))
  const find = async () => await client.send(new GetEmailIdentityCommand({ EmailIdentity: shop }))
  return { client, identities: awsSesIdentities('ours', client), find }
}

test('an identity is made once: again it is as it was', async (t) => {
  const { identities, find } = await ready(t)
  const made = await identities.ensure(shop, mailFrom)
  assert.deepEqual(
    [made.region, made.isVerified, made.dkim.tokens.length, made.dkim.hostedZone, made.mailFrom],
    ['us-east-1', true, 3, 'dkim.amazonses.com', { domain: mailFrom, status: 'SUCCESS' }],
  )
  assert.deepEqual(await identities.ensure(shop, mailFrom), made)
  const { ConfigurationSetName, DkimAttributes, MailFromAttributes } = await find()
  assert.deepEqual(
    [ConfigurationSetName, DkimAttributes?.NextSigningKeyLength, MailFromAttributes?.BehaviorOnMxFailure],
    ['ours', 'RSA_2048_BIT', 'USE_DEFAULT_VALUE'],
  )
})

test('what was begun is ended: an identity without MAIL FROM domain gets it', async (t) => {
  const { client, identities } = await ready(t)
  await client.send(new CreateEmailIdentityCommand({ EmailIdentity: shop, ConfigurationSetName: 'ours' }))
  assert.equal((await identities.ensure(shop, mailFrom)).mailFrom?.domain, mailFrom)
})

test('a MAIL FROM domain that somebody chose stays', async (t) => {
  const { client, identities } = await ready(t)
  await client.send(new CreateEmailIdentityCommand({ EmailIdentity: shop }))
  const MailFromDomain = 'bounces.shop.example'
  await client.send(new PutEmailIdentityMailFromAttributesCommand({ EmailIdentity: shop, MailFromDomain }))
  assert.equal((await identities.ensure(shop, mailFrom)).mailFrom?.domain, MailFromDomain)
})

test('an identity of ours is removed, and removing it again does no harm', async (t) => {
  const { identities, find } = await ready(t)
  await identities.ensure(shop, mailFrom)
  await identities.remove(shop)
  await assert.rejects(find(), { name: 'NotFoundException' })
  await identities.remove(shop)
})

for (const ConfigurationSetName of [undefined, 'theirs']) {
  test(`an identity with ${ConfigurationSetName ?? 'no'} configuration set is somebody else's, and stays`, async (t) => {
    const { client, identities, find } = await ready(t)
    await client.send(new CreateEmailIdentityCommand({ EmailIdentity: shop, ConfigurationSetName }))
    await identities.remove(shop)
    assert.ok(await find())
  })
}
