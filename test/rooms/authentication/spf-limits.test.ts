import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { FakeZone } from '../../support/fake-dns.ts'
import { askSpf } from '../../support/spf-check.ts'
import { spfZones } from '../../support/spf-zones.ts'

/** Has records of all types, none of which lets 192.0.2.1 pass. */
const elsewhere: FakeZone = {
  'host.example': { A: ['198.51.100.1'], MX: [[10, 'host.example']], TXT: ['v=spf1 -all'] },
  '1.2.0.192.in-addr.arpa': { PTR: ['liar.example'] },
  'liar.example': { A: ['198.51.100.1'] },
  'unknown.example': { A: ['198.51.100.1'] },
}

for (const term of ['a', 'mx', 'ptr', 'include', 'exists']) {
  // What exists matches; a name that cannot be does not, and is no void lookup either.
  const text = term === 'exists' ? 'exists:a..example' : `${term}:host.example`
  test(`ten terms ${text} are allowed and eleven are not (RFC 7208 §4.6.4)`, async () => {
    const ask = async (count: number) => {
      const TXT = [`v=spf1 ${`${text} `.repeat(count)}~all`]
      return askSpf({ zone: { ...elsewhere, 'from.example': { TXT } }, from: 'a@from.example' })
    }
    assert.equal((await ask(10)).result, 'softfail')
    const eleven = await ask(11)
    assert.deepEqual([eleven.result, eleven.problem], ['permerror', 'more than 10 terms need the DNS'])
  })
}

test('each term that has %{p} counts twice', async () => {
  const ask = async (count: number) => {
    const TXT = [`v=spf1 ${'a:%{p}.example '.repeat(count)}~all`]
    return (await askSpf({ zone: { ...elsewhere, 'from.example': { TXT } }, from: 'a@from.example' })).result
  }
  assert.deepEqual([await ask(5), await ask(6)], ['softfail', 'permerror'])
})

test('ten redirects are allowed and eleven are not', async () => {
  const ask = async (count: number) => {
    const zone: FakeZone = { 'd0.example': { TXT: ['v=spf1 +all'] } }
    for (let n = 1; n <= count; n++) zone[`d${n}.example`] = { TXT: [`v=spf1 redirect=d${n - 1}.example`] }
    return (await askSpf({ zone, from: `a@d${count}.example` })).result
  }
  assert.deepEqual([await ask(10), await ask(11)], ['pass', 'permerror'])
})

for (const { rule, records } of [
  { rule: 'a record that includes itself', records: { 'a.example': 'v=spf1 include:a.example -all' } },
  { rule: 'a record that redirects to itself', records: { 'a.example': 'v=spf1 redirect=a.example' } },
  {
    rule: 'records that include each other',
    records: { 'a.example': 'v=spf1 include:b.example', 'b.example': 'v=spf1 include:a.example' },
  },
  {
    rule: 'records that branch without end',
    records: {
      'a.example': `v=spf1 ${'?include:b.example '.repeat(9)}`,
      'b.example': 'v=spf1 redirect=a.example',
    },
  },
]) {
  test(`${rule}: permerror after 10 further questions`, async () => {
    const zone = Object.fromEntries(Object.entries(records).map(([name, text]) => [name, { TXT: [text] }]))
    const { result, asked } = await askSpf({ zone, from: 'x@a.example' })
    assert.deepEqual([result, asked.length], ['permerror', 11])
  })
}

for (const { total, at, result } of [
  { total: 10, at: 10, result: 'pass' },
  { total: 10, at: 99, result: 'fail' },
  { total: 11, at: 10, result: 'pass' },
  { total: 11, at: 11, result: 'permerror' },
  { total: 11, at: 99, result: 'permerror' },
  { total: 5000, at: 99, result: 'permerror' },
]) {
  test(`${total} MX records, the client is the one of preference ${at}: ${result} (RFC 7208 §4.6.4)`, async () => {
    const numbers = Array.from({ length: total }, (_, place) => place + 1)
    const MX = numbers.map((number) => [number, `mx${number}.example`] as const).reverse()
    const zone: FakeZone = { 'from.example': { TXT: ['v=spf1 mx -all'], MX } }
    for (const number of numbers) zone[`mx${number}.example`] = { A: [`198.51.100.${number % 250}`] }
    zone[`mx${at}.example`] = { A: ['192.0.2.1'] }
    const outcome = await askSpf({ zone, from: 'a@from.example' })
    assert.equal(outcome.result, result)
    assert.ok(outcome.asked.length <= 12)
  })
}

for (const { total, at, result } of [
  { total: 10, at: 10, result: 'pass' },
  { total: 11, at: 10, result: 'pass' },
  { total: 11, at: 11, result: 'fail' },
  { total: 5000, at: 5000, result: 'fail' },
]) {
  test(`${total} PTR records, number ${at} leads back: ${result} (RFC 7208 §4.6.4)`, async () => {
    const names = Array.from({ length: total }, (_, place) => `n${place + 1}.from.example`)
    const zone: FakeZone = {
      'from.example': { TXT: ['v=spf1 ptr -all'] },
      '1.2.0.192.in-addr.arpa': { PTR: names },
      [`n${at}.from.example`]: { A: ['192.0.2.1'] },
    }
    const outcome = await askSpf({ zone, from: 'a@from.example' })
    assert.equal(outcome.result, result)
    assert.ok(outcome.asked.length <= 12)
  })
}

for (const { terms, result, rule } of [
  { terms: 'a:v1.example a:v2.example ~all', result: 'softfail', rule: 'two are allowed' },
  {
    terms: 'a:v1.example mx:v2.example a:host.example ~all',
    result: 'softfail',
    rule: 'what is there does not count',
  },
  { terms: 'a:v1.example mx:v2.example exists:v3.example ~all', result: 'permerror', rule: 'three are not' },
  { terms: 'a:v1.example ?include:two.example ~all', result: 'permerror', rule: 'includes count too' },
  {
    terms: 'a:empty.example mx:empty.example a:empty.example ~all',
    result: 'permerror',
    rule: 'no data counts too',
  },
  { terms: 'mx:many.example ~all', result: 'softfail', rule: 'hosts of an MX do not count' },
  {
    terms: 'a:a..example a:b..example a:c..example ~all',
    result: 'softfail',
    rule: 'nor names that cannot be',
  },
]) {
  test(`void lookups: ${rule} (RFC 7208 §4.6.4)`, async () => {
    const zone: FakeZone = {
      ...elsewhere,
      'from.example': { TXT: [`v=spf1 ${terms}`] },
      'two.example': { TXT: ['v=spf1 a:v4.example a:v5.example'] },
      'empty.example': { TXT: ['only text'] },
      'many.example': { MX: [1, 2, 3, 4].map((number) => [number, `v${number}.example`] as const) },
    }
    assert.equal((await askSpf({ zone, from: 'a@from.example' })).result, result)
  })
}

const big = 100_000
const hostile = [
  { rule: 'a hundred thousand letters', text: `v=spf1 ${'x'.repeat(big)}`, result: 'permerror' },
  { rule: 'a top label that is none', text: `v=spf1 a:x.${'a'.repeat(big)}! -all`, result: 'permerror' },
  { rule: 'hyphens without end', text: `v=spf1 a:x.${'a-'.repeat(big / 2)} -all`, result: 'permerror' },
  { rule: 'slashes without end', text: `v=spf1 a:${'/1'.repeat(big / 2)}x -all`, result: 'permerror' },
  { rule: 'digits without end', text: `v=spf1 a/${'1'.repeat(big)}x -all`, result: 'permerror' },
  { rule: 'an unending modifier name', text: `v=spf1 ${'a.'.repeat(big / 2)}/= -all`, result: 'permerror' },
  { rule: 'NULs', text: `v=spf1 a:${'\0'.repeat(big)} -all`, result: 'permerror' },
  {
    rule: 'macros without end',
    text: `v=spf1 exists:${'%{s}'.repeat(big / 4)}.example -all`,
    result: 'fail',
  },
  { rule: 'open braces', text: `v=spf1 exists:${'%{'.repeat(big / 2)} -all`, result: 'permerror' },
  {
    rule: 'delimiters without end',
    text: `v=spf1 exists:%{l${'-+'.repeat(big / 2)}}.b.example -all`,
    result: 'fail',
  },
  { rule: 'spaces without end', text: `v=spf1${' '.repeat(big)}-all`, result: 'fail' },
  { rule: 'networks without end', text: `v=spf1 ${'ip6:::/1 '.repeat(big / 9)}-all`, result: 'fail' },
  { rule: 'modifiers without end', text: `v=spf1 ${'x= '.repeat(big / 3)}-all`, result: 'fail' },
  { rule: 'an explanation full of %{p}', text: 'v=spf1 -all exp=why.example', result: 'fail' },
]
for (const { rule, text, result } of hostile) {
  test(`${rule}: ${result} within a second`, async () => {
    const names = Array.from({ length: 5000 }, (_, place) => `n${place}.example`)
    const zone: FakeZone = {
      'from.example': { TXT: [text] },
      'why.example': { TXT: ['%{p}'.repeat(big / 4)] },
      '1.2.0.192.in-addr.arpa': { PTR: names },
    }
    const startedAt = performance.now()
    const outcome = await askSpf({ zone, from: 'a@from.example' })
    assert.equal(outcome.result, result)
    assert.ok(performance.now() - startedAt < 1000, 'took too long')
    assert.ok(outcome.asked.length <= 13)
    assert.match(outcome.problem, /^[ -~]{0,67}$/)
    assert.match(outcome.mechanism, /^[!-~]{0,128}$/)
  })
}

test('every evaluation ends within its lookups: 10 terms of 11 each, and an explanation', async () => {
  await fc.assert(
    fc.asyncProperty(spfZones, async (all) => {
      const { asked, explanation, ...outcome } = await askSpf({ zone: all, from: 'd@a.example' })
      const most = outcome.result === 'fail' ? 1 + 10 * 11 + 23 : 1 + 10 * 11
      assert.ok(asked.length <= most, `${asked.length} questions`)
      assert.equal(outcome.problem === '', !outcome.result.endsWith('error'))
    }),
    { numRuns: 500 },
  )
})

/** In capitals, without the macros: there they mean something. */
function shout(text: string): string {
  return text.replace(/%\{[^}]*\}|[a-z]/g, (found) => (found.startsWith('%') ? found : found.toUpperCase()))
}

test('no result depends on the case of names', async () => {
  await fc.assert(
    fc.asyncProperty(spfZones, async (all) => {
      const loud = Object.fromEntries(
        Object.entries(all).map(([at, { TXT = [], MX = [], PTR = [], ...rest }]) => [
          at,
          {
            ...rest,
            TXT: TXT.map(shout),
            PTR: PTR.map(shout),
            MX: MX.map(([preference, exchange]) => [preference, shout(exchange)] as const),
          },
        ]),
      )
      const quiet = await askSpf({ zone: all, from: 'd@a.example' })
      const shouted = await askSpf({ zone: loud, from: 'd@a.example', hello: 'CLIENT.Example' })
      const comparable = ({ result, mechanism, authentic }: typeof quiet) => [
        result,
        mechanism.replace(/%\{.*?\}/g, '%').toLowerCase(),
        authentic,
      ]
      assert.deepEqual(comparable(shouted), comparable(quiet))
    }),
    { numRuns: 500 },
  )
})
