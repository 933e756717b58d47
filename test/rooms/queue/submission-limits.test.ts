import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshOptions, type Options } from '../../../shared/account/options.ts'
import { parseAddress } from '../../../shared/address/address.ts'
import { LARGEST_MESSAGE, LARGEST_ON_SES, largestMessage } from '../../../shared/queue/submission-limits.ts'

const route = (transport: string, toDomains: readonly string[] = []) => ({
  fromDomains: [],
  toDomains,
  minimumAttempts: 0,
  transport,
})
const options: Options = {
  ...freshOptions,
  transports: {
    amazon: { kind: 'ses' },
    relay: { kind: 'smtp', host: 'relay.test', port: 25, tls: 'none' },
  },
  routes: [route('amazon', ['ses.test']), route('relay')],
}

const cases = [
  { rule: 'what relays carry is the default', recipients: ['a@relay.test'], most: LARGEST_MESSAGE },
  { rule: 'SES carries 40 MB', recipients: ['a@ses.test'], most: LARGEST_ON_SES },
  {
    rule: 'the least of all recipients counts, since all are accepted or none',
    recipients: ['a@relay.test', 'a@ses.test'],
    most: LARGEST_ON_SES,
  },
]
for (const { rule, recipients, most } of cases) {
  test(`the largest message that is accepted: ${rule}`, () => {
    const envelope = { account: 'shop', recipients: recipients.map(parseAddress) }
    assert.equal(largestMessage(options, envelope), most)
  })
}
