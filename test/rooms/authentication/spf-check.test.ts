import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkSpf } from '../../../shared/authentication/spf-check.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { type FakeZone, fakeDns } from '../../support/fake-dns.ts'
import { askSpf } from '../../support/spf-check.ts'

/** What other records of the tests refer to. */
const others: FakeZone = {
  'host.example': { A: ['192.0.2.1'], AAAA: ['2001:db8::1'] },
  'pass.example': { TXT: ['v=spf1 +all'] },
  'fail.example': { TXT: ['v=spf1 -all exp=why.fail.example'] },
  'why.fail.example': { TXT: ['the words of another'] },
  'softfail.example': { TXT: ['v=spf1 ~all'] },
  'neutral.example': { TXT: ['v=spf1 ?all'] },
  'none.example': { TXT: ['something else'] },
  'broken.example': { TXT: ['v=spf1 moo'] },
  'down.example': { fails: true },
  'null-mx.example': { MX: [[0, '.']] },
}

const outcomes = [
  { record: undefined, result: 'none', mechanism: '', rule: 'no record' },
  { record: 'hello', result: 'none', mechanism: '', rule: 'another TXT record' },
  { record: 'v=spf1', result: 'neutral', mechanism: '', rule: 'nothing matches' },
  { record: 'v=spf1 ~ip4:192.0.2.0/24 -all', result: 'softfail', mechanism: 'ip4:192.0.2.0/24' },
  { record: 'v=spf1 -a:host.example', result: 'fail', mechanism: 'a:host.example' },
  {
    record: 'v=spf1 a:absent.example -all',
    result: 'fail',
    mechanism: 'all',
    rule: 'a of nobody matches nobody',
  },
  { record: 'v=spf1 a:absent.example/0 -all', result: 'fail', mechanism: 'all', rule: 'not even with /0' },
  {
    record: 'v=spf1 mx:null-mx.example -all',
    result: 'fail',
    mechanism: 'all',
    rule: 'the null MX is no host',
  },
  { record: 'v=spf1 ?include:pass.example -all', result: 'neutral', mechanism: 'include:pass.example' },
  { record: 'v=spf1 include:fail.example ~all', result: 'softfail', mechanism: 'all' },
  { record: 'v=spf1 include:softfail.example -all', result: 'fail', mechanism: 'all' },
  { record: 'v=spf1 include:neutral.example +all', result: 'pass', mechanism: 'all' },
  { record: 'v=spf1 redirect=softfail.example', result: 'softfail', mechanism: 'all' },
  {
    record: 'v=spf1 redirect=down.example ?all',
    result: 'neutral',
    mechanism: 'all',
    rule: 'all outdoes redirect',
  },
] as const
for (const { record, result, mechanism, ...rest } of outcomes) {
  const rule = 'rule' in rest ? ` (${rest.rule})` : ''
  test(`${record} is ${result} because of ${mechanism || 'nothing'}${rule}`, async () => {
    const zone = { ...others, 'from.example': { TXT: record === undefined ? [] : [record] } }
    const outcome = await askSpf({ zone, from: 'a@from.example' })
    assert.deepEqual(
      [outcome.result, outcome.mechanism, outcome.problem, outcome.explanation],
      [result, mechanism, '', undefined],
    )
    assert.deepEqual([outcome.identity, outcome.domain], ['mailfrom', 'from.example'])
  })
}

const errors = [
  { terms: 'include:down.example', result: 'temperror', problem: 'TXT down.example: SERVFAIL' },
  { terms: 'include:none.example', result: 'permerror', problem: 'no SPF record at none.example' },
  { terms: 'include:absent.example', result: 'permerror', problem: 'no SPF record at absent.example' },
  { terms: 'include:broken.example', result: 'permerror', problem: 'syntax error in moo' },
  { terms: 'include:a..example', result: 'permerror', problem: 'no SPF record at what is no domain name' },
  { terms: 'a:down.example', result: 'temperror', problem: 'A down.example: SERVFAIL' },
  { terms: 'mx:down.example', result: 'temperror', problem: 'MX down.example: SERVFAIL' },
  { terms: 'exists:down.example', result: 'temperror', problem: 'A down.example: SERVFAIL' },
] as const
for (const { terms, result, problem } of errors) {
  test(`${terms} is a ${result}: ${problem} (RFC 7208 §5)`, async () => {
    const zone = { ...others, 'from.example': { TXT: [`v=spf1 ${terms} +all`] } }
    const outcome = await askSpf({ zone, from: 'a@from.example' })
    assert.deepEqual([outcome.result, outcome.problem, outcome.mechanism], [result, problem, terms])
  })
}

const wholeErrors: readonly { here: FakeZone[string]; result: string; problem: string }[] = [
  { here: { fails: true }, result: 'temperror', problem: 'TXT from.example: SERVFAIL' },
  {
    here: { TXT: ['v=spf1', 'v=spf1'] },
    result: 'permerror',
    problem: 'several SPF records at from.example',
  },
  { here: { TXT: ['v=spf1 +all all/'] }, result: 'permerror', problem: 'syntax error in all/' },
  { here: { TXT: ['v=spf1 x:\u0000\r\n'] }, result: 'permerror', problem: 'syntax error in x:???' },
  {
    here: { TXT: ['v=spf1 redirect=none.example'] },
    result: 'permerror',
    problem: 'no SPF record at none.example',
  },
  {
    here: { TXT: [`v=spf1 ${'x'.repeat(100)}`] },
    result: 'permerror',
    problem: `syntax error in ${'x'.repeat(48)}...`,
  },
]
for (const { here, result, problem } of wholeErrors) {
  test(`${result}: ${problem}`, async () => {
    const outcome = await askSpf({ zone: { ...others, 'from.example': here }, from: 'a@from.example' })
    assert.deepEqual([outcome.result, outcome.problem, outcome.mechanism], [result, problem, ''])
  })
}

test('a mechanism is told in at most 128 characters', async () => {
  const zone = { 'from.example': { TXT: [`v=spf1 exists:%{l}.${'x'.repeat(200)}.example -all`] } }
  const whole = { 'from.example': { TXT: [`v=spf1 ?include:${'x%%'.repeat(70)}.example`] } }
  assert.equal((await askSpf({ zone, from: 'a@from.example' })).mechanism, 'all')
  const { mechanism } = await askSpf({ zone: whole, from: 'a@from.example' })
  assert.equal(mechanism, `include:${'x%%'.repeat(39)}...`)
})

for (const { hello, domain, result } of [
  { hello: 'fail.example', domain: 'fail.example', result: 'fail' },
  { hello: 'FAIL.Example.', domain: 'fail.example', result: 'fail' },
  { hello: 'b\u00fccher.example', domain: 'xn--bcher-kva.example', result: 'pass' },
  { hello: 'my_host.example', domain: 'my_host.example', result: 'pass' },
  { hello: '[192.0.2.1]', domain: '[192.0.2.1]', result: 'none' },
  { hello: '[IPv6:2001:db8::1]', domain: '[IPv6:2001:db8::1]', result: 'none' },
  { hello: '192.0.2.1', domain: '192.0.2.1', result: 'none' },
  { hello: 'localhost', domain: 'localhost', result: 'none' },
  { hello: 'a..example', domain: 'a..example', result: 'none' },
  { hello: 'a b.example', domain: 'a b.example', result: 'none' },
  { hello: '\u{1f4a9}\ud800.example', domain: '\u{1f4a9}\ud800.example', result: 'none' },
  { hello: `${'x'.repeat(64)}.example`, domain: `${'x'.repeat(64)}.example`, result: 'none' },
  { hello: '', domain: '', result: 'none' },
]) {
  test(`null MAIL FROM, EHLO ${JSON.stringify(hello)}: helo is ${result} (RFC 7208 §2.3, §4.3)`, async () => {
    const zone = {
      ...others,
      'xn--bcher-kva.example': { TXT: ['v=spf1 +all'] },
      'my_host.example': { TXT: ['v=spf1 +all'] },
    }
    const outcome = await askSpf({ zone, hello })
    assert.deepEqual([outcome.result, outcome.identity, outcome.domain], [result, 'helo', domain])
    if (result === 'none') assert.deepEqual([outcome.asked, outcome.authentic], [[], false])
  })
}

test('the HELO identity is postmaster at the EHLO name (RFC 7208 §2.4)', async () => {
  const zone: FakeZone = {
    'client.example': { TXT: ['v=spf1 exists:%{l}.%{o}.%{h}.test'] },
    'postmaster.client.example.client.example.test': { A: ['127.0.0.2'] },
  }
  assert.equal((await askSpf({ zone })).result, 'pass')
})

for (const { ip, record, result } of [
  { ip: '::ffff:192.0.2.1', record: 'v=spf1 ip4:192.0.2.1 -all', result: 'pass' },
  { ip: '::ffff:c000:201', record: 'v=spf1 a:host.example/32//0 -all', result: 'pass' },
  { ip: '::ffff:192.0.2.1', record: 'v=spf1 ip6:::/0 -all', result: 'fail' },
  { ip: '2001:db8::1', record: 'v=spf1 ip6:2001:0DB8:0::/32 -all', result: 'pass' },
  { ip: '2001:db8::1', record: 'v=spf1 ip6:2001:db8::2/127 -all', result: 'fail' },
  { ip: '2001:db8::1', record: 'v=spf1 ip6:2001:db8::2/126 -all', result: 'pass' },
  { ip: '2001:db8::1', record: 'v=spf1 ip4:0.0.0.0/0 -all', result: 'fail' },
  { ip: '2001:db8::1', record: 'v=spf1 a:host.example -all', result: 'pass' },
  { ip: '2001:db8::9', record: 'v=spf1 a:host.example/0 -all', result: 'fail' },
  { ip: '2001:db8::9', record: 'v=spf1 a:host.example//124 -all', result: 'pass' },
  { ip: '192.0.2.9', record: 'v=spf1 a:host.example/29 -all', result: 'fail' },
  { ip: '192.0.2.9', record: 'v=spf1 a:host.example/28 -all', result: 'pass' },
]) {
  test(`${record} from ${ip} is ${result} (RFC 7208 §5)`, async () => {
    const zone = { ...others, 'from.example': { TXT: [record] } }
    assert.equal((await askSpf({ zone, from: 'a@from.example', ip })).result, result)
  })
}

test('a local part that is not ASCII matches nothing (RFC 8616 §4)', async () => {
  const TXT = ['v=spf1 -exists:%{L}.%{d} -include:%{s}.example ~all exp=why.fail.example']
  const outcome = await askSpf({
    zone: { ...others, 'from.example': { TXT } },
    from: 'j\u00fcrgen@from.example',
  })
  assert.deepEqual([outcome.result, outcome.problem], ['softfail', ''])
  assert.deepEqual(outcome.asked, ['TXT from.example'])
})

test('the explanation is that of the record that failed, and of no included one (RFC 7208 §6.2)', async () => {
  const zone: FakeZone = {
    ...others,
    'from.example': { TXT: ['v=spf1 include:fail.example -all exp=own.from.example'] },
    'own.from.example': { TXT: ['%{d} says no'] },
    'led.example': { TXT: ['v=spf1 exp=never.example redirect=from.example'] },
    'without.example': { TXT: ['v=spf1 include:fail.example -all'] },
    'match.example': { TXT: ['v=spf1 -include:pass.example exp=own.from.example'] },
  }
  const explanationOf = async (domain: string) => (await askSpf({ zone, from: `a@${domain}` })).explanation
  assert.equal(await explanationOf('from.example'), 'from.example says no')
  assert.equal(await explanationOf('led.example'), 'from.example says no')
  assert.equal(await explanationOf('without.example'), undefined)
  assert.equal(await explanationOf('match.example'), 'match.example says no')
})

for (const { inauthentic, authentic } of [
  { inauthentic: [], authentic: true },
  { inauthentic: ['from.example'], authentic: false },
  { inauthentic: ['absent.example'], authentic: false },
  { inauthentic: ['included.example'], authentic: false },
  { inauthentic: ['why.example', 'unasked.example'], authentic: true },
]) {
  test(`${inauthentic.join(', ') || 'nothing'} inauthentic: DNSSEC ${authentic ? 'vouches' : 'does not'}`, async () => {
    const zone: FakeZone = {
      'from.example': {
        TXT: ['v=spf1 a:absent.example include:included.example -all a:unasked.example exp=why.example'],
      },
      'absent.example': {},
      'included.example': { TXT: ['v=spf1'] },
      'why.example': { TXT: ['because'] },
      'unasked.example': {},
    }
    for (const name of inauthentic) zone[name] = { ...zone[name], authentic: false }
    const outcome = await askSpf({ zone, from: 'a@from.example' })
    assert.deepEqual([outcome.result, outcome.authentic], ['fail', authentic])
  })
}

test('what failed is not authentic', async () => {
  assert.equal((await askSpf({ zone: others, from: 'a@down.example' })).authentic, false)
})

test('that there is no record can be authentic', async () => {
  assert.deepEqual((await askSpf({ zone: others, from: 'a@none.example' })).authentic, true)
})

test('20 s after the beginning nothing more is asked: temperror, also where ptr passes over failures', async () => {
  const clock = fakeClock()
  const zone: FakeZone = {
    'from.example': { TXT: ['v=spf1 a:slow.example ptr -all'] },
    'slow.example': { A: [] },
  }
  const dns = fakeDns(zone)
  const slow = async (seconds: number) => {
    const lookUp: typeof dns.lookUp = (type, name) => {
      if (name === 'slow.example') clock.advance(seconds * 1000)
      return dns.lookUp(type, name)
    }
    const client = { ipAddress: '192.0.2.1', hello: 'from.example', protocol: 'SMTP', sessionId: 'a' }
    return checkSpf({ resolver: { lookUp }, clock, hostname: 'mx.example' }, { client })
  }
  assert.deepEqual([(await slow(19)).result, (await slow(20)).result], ['fail', 'temperror'])
})

test("a client address that is none is a fault of ours, not the sender's", async () => {
  await assert.rejects(askSpf({ zone: others, from: 'a@pass.example', ip: '192.0.2' }), /192\.0\.2/)
})
