import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HoldRule } from '../../../shared/account/options.ts'
import { parseAddress } from '../../../shared/address/address.ts'
import { parseDomainName } from '../../../shared/address/domain-name.ts'
import { SECOND } from '../../../shared/base/clock.ts'
import {
  holdByRules,
  matchesHoldRule,
  parseRulePlace,
  type RuledMessage,
} from '../../../shared/queue/hold-rules.ts'

const now = Date.UTC(2026, 5, 1)
const domains = {
  [parseDomainName('shop.example')]: { separators: ['+', '-'], disabled: false },
  [parseDomainName('plain.example')]: { separators: [], disabled: false },
}

function message(more: Partial<RuledMessage> = {}): RuledMessage {
  return {
    account: 'shop',
    mailFrom: parseAddress('ann@shop.example'),
    recipient: parseAddress('bob@remote.example'),
    fromId: '',
    ...more,
  }
}

function rule(more: Partial<HoldRule> = {}): HoldRule {
  return { id: 1, createdAt: now, account: '', sender: '', recipient: '', ...more }
}

const { mailFrom: _none, ...notification } = message()
const unique = message({ mailFrom: parseAddress('Ann+abc@shop.example'), fromId: 'abc' })

const cases: readonly {
  what: string
  rule: Partial<HoldRule>
  message?: RuledMessage
  matches: boolean
}[] = [
  { what: 'without any field', rule: {}, matches: true },
  { what: 'of the account', rule: { account: 'shop' }, matches: true },
  { what: 'of another account', rule: { account: 'other' }, matches: false },
  { what: 'of the sender’s domain', rule: { sender: 'shop.example' }, matches: true },
  { what: 'of another sender’s domain', rule: { sender: 'hop.example' }, matches: false },
  { what: 'of a domain above the sender’s', rule: { sender: 'example' }, matches: false },
  { what: 'of the sender’s address', rule: { sender: 'ann@shop.example' }, matches: true },
  { what: 'of another address of the domain', rule: { sender: 'eve@shop.example' }, matches: false },
  { what: 'of the recipient’s domain', rule: { recipient: 'remote.example' }, matches: true },
  { what: 'of the recipient’s address', rule: { recipient: 'bob@remote.example' }, matches: true },
  { what: 'of another recipient', rule: { recipient: 'bob@shop.example' }, matches: false },
  {
    what: 'with all three fields, which match',
    rule: { account: 'shop', sender: 'shop.example', recipient: 'remote.example' },
    matches: true,
  },
  {
    what: 'with three fields of which the account does not match',
    rule: { account: 'other', sender: 'shop.example', recipient: 'remote.example' },
    matches: false,
  },
  {
    what: 'with three fields of which the sender does not match',
    rule: { account: 'shop', sender: 'remote.example', recipient: 'remote.example' },
    matches: false,
  },
  {
    what: 'with three fields of which the recipient does not match',
    rule: { account: 'shop', sender: 'shop.example', recipient: 'shop.example' },
    matches: false,
  },
  {
    what: 'of a sender, on a message without one (Q2)',
    rule: { sender: 'shop.example' },
    message: notification,
    matches: false,
  },
  {
    what: 'of a recipient, on a message without a sender (Q2)',
    rule: { recipient: 'remote.example' },
    message: notification,
    matches: true,
  },
  {
    what: 'of the sender’s address, whatever its case',
    rule: { sender: 'ann@shop.example' },
    message: message({ mailFrom: parseAddress('ANN@shop.example') }),
    matches: true,
  },
  {
    what: 'of the sender as submitted, on a reverse-path with a unique part',
    rule: { sender: 'ann@shop.example' },
    message: unique,
    matches: true,
  },
  {
    what: 'of the unique reverse-path itself',
    rule: { sender: 'ann+abc@shop.example' },
    message: unique,
    matches: true,
  },
  {
    what: 'of the sender, on a suffix that is no FromID',
    rule: { sender: 'ann@shop.example' },
    message: message({ mailFrom: parseAddress('ann+news@shop.example') }),
    matches: false,
  },
  {
    what: 'of the sender, on a domain without separators',
    rule: { sender: 'ann@plain.example' },
    message: message({ mailFrom: parseAddress('ann+abc@plain.example'), fromId: 'abc' }),
    matches: false,
  },
]
for (const { what, rule: fields, message: row = message(), matches } of cases) {
  test(`AT-71: a hold rule ${what} ${matches ? 'matches' : 'does not match'}`, () => {
    assert.equal(matchesHoldRule({ domains }, rule(fields), row), matches)
  })
}

test('AT-42: the first rule that matches is the reason', () => {
  const holdRules = [rule({ id: 3, account: 'other' }), rule({ id: 5, account: 'shop' }), rule({ id: 8 })]
  assert.deepEqual(holdByRules({ holdRules, domains }, message(), now), { reason: 'hold rule 5', since: now })
})

test('no rule, or none that matches, holds nothing', () => {
  assert.equal(holdByRules({ holdRules: [], domains }, message(), now), undefined)
  assert.equal(holdByRules({ holdRules: [rule({ account: 'other' })], domains }, message(), now), undefined)
})

test('AT-42: what was released is held again only by a rule that is younger than its release', () => {
  const released = { ...message(), releasedAt: now + SECOND }
  const older = [rule({ createdAt: now }), rule({ createdAt: now + SECOND })]
  assert.equal(holdByRules({ holdRules: older, domains }, released, now), undefined)
  const younger = [...older, rule({ id: 9, createdAt: now + SECOND + 1 })]
  assert.equal(holdByRules({ holdRules: younger, domains }, released, now)?.reason, 'hold rule 9')
})

const places = [
  { text: 'Shop.Example', place: 'shop.example' },
  { text: 'bücher.example', place: 'xn--bcher-kva.example' },
  { text: 'Ann@Bücher.example', place: 'ann@xn--bcher-kva.example' },
  { text: '"A b"@shop.example', place: 'a b@shop.example' },
  { text: '@shop.example', place: undefined },
  { text: 'shop example', place: undefined },
  { text: 'ann@', place: undefined },
  { text: '192.0.2.1', place: undefined },
]
for (const { text, place } of places) {
  test(`AT-66: a hold rule ${place === undefined ? 'cannot name' : 'keeps as wire form'} ${text}`, () => {
    assert.equal(parseRulePlace(text), place)
  })
}

test('AT-66: a rule with an IDN domain matches mail to its A-labels', () => {
  const recipient = parseRulePlace('bücher.example') ?? ''
  const row = message({ recipient: parseAddress('bob@xn--bcher-kva.example') })
  assert.equal(matchesHoldRule({ domains }, rule({ recipient }), row), true)
})
