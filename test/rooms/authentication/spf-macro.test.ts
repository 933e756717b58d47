import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeClock } from '../../support/fake-clock.ts'
import type { FakeZone } from '../../support/fake-dns.ts'
import { askSpf } from '../../support/spf-check.ts'

// RFC 7208 §7.4, with house.example for example.com and lists.example for example.net.
const examples = [
  { macros: '%{s}', value: 'strong-bad@email.house.example' },
  { macros: '%{o}', value: 'email.house.example' },
  { macros: '%{d}', value: 'email.house.example' },
  { macros: '%{d4}', value: 'email.house.example' },
  { macros: '%{d3}', value: 'email.house.example' },
  { macros: '%{d2}', value: 'house.example' },
  { macros: '%{d1}', value: 'example' },
  { macros: '%{dr}', value: 'example.house.email' },
  { macros: '%{d2r}', value: 'house.email' },
  { macros: '%{l}', value: 'strong-bad' },
  { macros: '%{l-}', value: 'strong.bad' },
  { macros: '%{lr}', value: 'strong-bad' },
  { macros: '%{lr-}', value: 'bad.strong' },
  { macros: '%{l1r-}', value: 'strong' },
  { macros: '%{ir}.%{v}._spf.%{d2}', value: '3.2.0.192.in-addr._spf.house.example' },
  { macros: '%{lr-}.lp._spf.%{d2}', value: 'bad.strong.lp._spf.house.example' },
  {
    macros: '%{lr-}.lp.%{ir}.%{v}._spf.%{d2}',
    value: 'bad.strong.lp.3.2.0.192.in-addr._spf.house.example',
  },
  {
    macros: '%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}',
    value: '3.2.0.192.in-addr.strong.lp._spf.house.example',
  },
  { macros: '%{d2}.trusted-domains.lists.example', value: 'house.example.trusted-domains.lists.example' },
  {
    ip: '2001:db8::cb01',
    macros: '%{ir}.%{v}._spf.%{d2}',
    value: '1.0.B.C.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.B.D.0.1.0.0.2.ip6._spf.house.example',
  },
]
for (const { macros, value, ip = '192.0.2.3' } of examples) {
  test(`${macros} of ${ip} becomes ${value} (RFC 7208 §7.4)`, async () => {
    const zone = { 'email.house.example': { TXT: [`v=spf1 exists:${macros} -all`] } }
    const { asked } = await askSpf({ zone, from: 'strong-bad@email.house.example', ip })
    assert.equal(asked.at(-1), `A ${value}`)
  })
}

const terms = ['include:', 'a:', 'mx:', 'exists:', 'redirect=']
for (const term of [...terms, 'ptr:']) {
  for (const bad of ['%{x}.example', '%{d', '%(d).example', '%', '%{d0}', '%{dx}', '%{c}', '%{r}', '%{t}']) {
    test(`${term}${bad} is a permerror (RFC 7208 §7.1)`, async () => {
      const zone = { 'from.example': { TXT: [`v=spf1 ${term}${bad} -all`] } }
      const { result, problem } = await askSpf({ zone, from: 'a@from.example' })
      assert.deepEqual([result, problem], ['permerror', `syntax error in ${term}${bad}`])
    })
  }
}

for (const { term, type } of [
  { term: 'include:', type: 'TXT' },
  { term: 'a:', type: 'A' },
  { term: 'mx:', type: 'MX' },
  { term: 'exists:', type: 'A' },
  { term: 'redirect=', type: 'TXT' },
]) {
  test(`${term} expands macros`, async () => {
    const zone = { 'from.example': { TXT: [`v=spf1 ${term}%{l}.%{d}`] } }
    const { asked } = await askSpf({ zone, from: 'ann@from.example' })
    assert.equal(asked.at(-1), `${type} ann.from.example`)
  })
}

test('ptr: expands macros', async () => {
  const zone: FakeZone = {
    'from.example': { TXT: ['v=spf1 ptr:%{l}.%{d} -all'] },
    '1.2.0.192.in-addr.arpa': { PTR: ['mx.ann.from.example'] },
    'mx.ann.from.example': { A: ['192.0.2.1'] },
  }
  assert.equal((await askSpf({ zone, from: 'ann@from.example' })).result, 'pass')
  assert.equal((await askSpf({ zone, from: 'bob@from.example' })).result, 'fail')
})

const long = 'l'.repeat(61)
for (const { spec, name, rule } of [
  { spec: `${'a.'.repeat(122)}b.example`, name: `${'a.'.repeat(122)}b.example`, rule: '253 octets stay' },
  { spec: `${'a.'.repeat(122)}bc.example`, name: `${'a.'.repeat(121)}bc.example`, rule: '254 lose a label' },
  {
    spec: `${long}.${'a.'.repeat(122)}b.example`,
    name: `${'a.'.repeat(122)}b.example`,
    rule: 'whole labels go',
  },
  { spec: 'b.example.', name: 'b.example', rule: 'the dot at the end does not count' },
]) {
  test(`a target name has at most 253 octets: ${rule} (RFC 7208 §7.3)`, async () => {
    const zone = { 'from.example': { TXT: [`v=spf1 exists:${spec} -all`] } }
    const { asked } = await askSpf({ zone, from: 'ann@from.example' })
    assert.equal(asked.at(-1), `A ${name}`)
  })
}

const named: FakeZone = {
  'from.example': { TXT: ['v=spf1 exists:%{p}.names.example -all'] },
  'mx.other.example': { A: ['192.0.2.1'] },
  'mx.from.example': { A: ['192.0.2.1'] },
  'lies.from.example': { A: ['192.0.2.9'] },
}
for (const { names, own, value, rule } of [
  {
    names: ['mx.other.example', 'mx.from.example'],
    value: 'mx.from.example',
    rule: 'below the domain first',
  },
  {
    names: ['mx.from.example', 'from.example'],
    own: true,
    value: 'from.example',
    rule: 'the domain itself first',
  },
  { names: ['mx.other.example'], value: 'mx.other.example', rule: 'any that leads back' },
  { names: ['lies.from.example', 'mx.other.example'], value: 'mx.other.example', rule: 'none that does not' },
  { names: ['lies.from.example'], value: 'unknown', rule: 'else unknown' },
  { names: [], value: 'unknown', rule: 'unknown without PTR' },
]) {
  test(`%{p}: ${rule} (RFC 7208 §7.3)`, async () => {
    const zone: FakeZone = {
      ...named,
      'from.example': { ...named['from.example'], A: own ? ['192.0.2.1'] : [] },
      '1.2.0.192.in-addr.arpa': { PTR: names },
    }
    const { asked } = await askSpf({ zone, from: 'ann@from.example' })
    assert.equal(asked.at(-1), `A ${value}.names.example`)
  })
}

const explanations = [
  { text: '%{i} %{c} %{v}', ip: '2001:DB8::1', value: `${nibbles('2.0.0.1.0.D.B.8.')}1 2001:db8::1 ip6` },
  { text: '%{c}', ip: '::ffff:192.0.2.1', value: '192.0.2.1' },
  { text: '%{r} at %{t}', value: 'mx.receiver.example at 1780272000' },
  { text: '%{h} for %{d} and %{o}', value: 'client.example for from.example and from.example' },
  { text: '%{S}', value: 'O%27Neil%2Blist%40from.example' },
  { text: '%{l1r+} 100%% a%_b%-c', value: "O'Neil 100% a b%20c" },
  { text: '%{l2+}.', value: "O'Neil.list." },
  { text: 'a single %', value: undefined },
  { text: 'caf\u00e9', value: undefined },
  { text: 'line\r\nX-Evil: 1', value: undefined },
  { text: '', value: undefined },
  { text: 'x'.repeat(900), value: 'x'.repeat(800) },
]
for (const { text, value, ip } of explanations) {
  test(`explanation ${JSON.stringify(text.slice(0, 40))} (RFC 7208 §6.2)`, async () => {
    const zone = {
      'from.example': { TXT: ['v=spf1 -all exp=why.%{d}'] },
      'why.from.example': { TXT: [text] },
    }
    const clock = fakeClock(Date.UTC(2026, 5, 1))
    const outcome = await askSpf({ zone, from: "O'Neil+list@from.example", clock, ...(ip && { ip }) })
    assert.deepEqual([outcome.result, outcome.explanation], ['fail', value])
  })
}

function nibbles(beginning: string): string {
  return `${beginning}${'0.'.repeat(23)}`
}
