import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatPolicy, parsePolicy, type StsPolicy } from '../../../shared/mta-sts/policy.ts'

const ENFORCE = { mode: 'enforce', maxAgeSeconds: 86400, mx: ['mx.x.example'], extensions: [] }

/** The lines of a good policy, with these instead of the ones of the same name; `''` leaves one out. */
function policy(instead: Readonly<Record<string, string>> = {}, end = '\n'): string {
  const lines = { version: 'STSv1', mode: 'enforce', mx: 'mx.x.example', max_age: '86400', ...instead }
  const present = Object.entries(lines).filter(([, value]) => value !== '')
  return present.map(([name, value]) => `${name}: ${value}${end}`).join('')
}

const good: readonly (readonly [rule: string, text: string, expected: object])[] = [
  ['lines end in LF', policy(), ENFORCE],
  ['lines end in CRLF', policy({}, '\r\n'), ENFORCE],
  ['lines may end in either', `${policy()}a: b\r\n`, { ...ENFORCE, extensions: [['a', 'b']] }],
  ['the last line needs no end', policy().trimEnd(), ENFORCE],
  ['empty lines at the end', `${policy()}\r\n\n`, ENFORCE],
  ['white space around values, or none', policy().replaceAll(': ', ':').replaceAll('\n', ' \t\n'), ENFORCE],
  ['fields in any order', policy().split('\n').reverse().join('\n').trimStart(), ENFORCE],
  ['mx in upper case', policy({ mx: 'MX.x.Example' }), ENFORCE],
  ['mx of A-labels', policy({ mx: 'xn--bcher-kva.example' }), { ...ENFORCE, mx: ['xn--bcher-kva.example'] }],
  [
    'mx several times',
    `${policy({ mx: '*.x.example' })}mx: b.example\n`,
    { ...ENFORCE, mx: ['*.x.example', 'b.example'] },
  ],
  ['of others the first counts', `${policy()}mode: none\nmax_age: 1\nversion: STSv2\n`, ENFORCE],
  [
    'unknown fields are kept, of each name the first, and may be beyond ASCII',
    `${policy()}B_2.-: ä b\na: 1\nB_2.-: 2\n`,
    {
      ...ENFORCE,
      extensions: [
        ['B_2.-', 'ä b'],
        ['a', '1'],
      ],
    },
  ],
  ['mode none needs no mx', policy({ mode: 'none', mx: '' }), { ...ENFORCE, mode: 'none', mx: [] }],
  ['max_age of 31 bits', policy({ max_age: '2147483647' }), { ...ENFORCE, maxAgeSeconds: 2147483647 }],
  ['max_age 0', policy({ max_age: '0' }), { ...ENFORCE, maxAgeSeconds: 0 }],
]
for (const [rule, text, expected] of good) {
  test(`RFC 8461 §3.2: a policy, ${rule}`, () => {
    assert.deepEqual(parsePolicy(text), { policy: expected })
  })
}

const bad: readonly (readonly [text: string, problem: RegExp])[] = [
  ['', /^the line "" is no field$/],
  ['<html>', /^the line "<html>" is no field$/],
  [`${policy()}\n${policy()}`, /^the line "" is no field$/],
  [`${policy()} a: b`, /is no field/],
  [`${policy()}a : b`, /is no field/],
  [`${policy()}_a: b`, /is no field/],
  [`${policy()}${'a'.repeat(33)}: b`, /is no field/],
  [`${policy()}a:\n`, /^the value of a is empty or not printable$/],
  [`${policy()}a: b\x07c\n`, /^the value of a is empty or not printable$/],
  [policy().replaceAll('\n', '\r'), /^the value of version is empty or not printable$|is no field/],
  [policy({ version: '' }), /^version is missing$/],
  [policy({ mode: '' }), /^mode is missing$/],
  [policy({ max_age: '' }), /^max_age is missing$/],
  [policy({ mx: '' }), /^mx is missing, which enforce needs$/],
  [policy({ mx: '', mode: 'testing' }), /^mx is missing, which testing needs$/],
  [policy({ version: 'STSv2' }), /^version: "STSv2" must be STSv1$/],
  [policy({ version: 'stsv1' }), /^version: "stsv1" must be STSv1$/],
  [policy({ mode: 'Enforce' }), /^mode: "Enforce" must be one of none, testing, enforce$/],
  [policy({ mode: 'off' }), /^mode: "off"/],
  [policy({ max_age: '1d' }), /^max_age: "1d" must be a number of seconds up to 2147483647$/],
  [policy({ max_age: '-1' }), /^max_age: /],
  [policy({ max_age: '2147483648' }), /^max_age: /],
  [policy({ max_age: '00000000001' }), /^max_age: /],
  [
    policy({ mx: 'bücher.example' }),
    /^mx: "bücher\.example" must be a host name of A-labels, or \*\. before/,
  ],
  [policy({ mx: 'mx..example' }), /^mx: /],
  [policy({ mx: '*.*.example' }), /^mx: /],
  [policy({ mx: 'm*.example' }), /^mx: /],
  [policy({ mx: '*' }), /^mx: /],
  [policy({ mx: '.x.example' }), /^mx: /],
  [policy({ mx: '192.0.2.1' }), /^mx: /],
]
for (const [text, problem] of bad) {
  test(`RFC 8461 §3.2: no policy, and which rule it breaks: ${JSON.stringify(text.slice(-60))}`, () => {
    const read = parsePolicy(text)
    assert.match('problem' in read ? read.problem : 'a policy', problem)
  })
}

test('a policy that is written can be read again', () => {
  for (const text of good.map(([, each]) => each)) {
    const read = parsePolicy(text) as { readonly policy: StsPolicy }
    assert.deepEqual(parsePolicy(formatPolicy(read.policy)), read)
  }
})

test('a policy of nothing but white space and a letter is read at once', () => {
  for (const space of [' ', '\n', ' \n', '\r']) {
    const began = performance.now()
    parsePolicy(`a: b${space.repeat(65_000 / space.length)}x`)
    assert.ok(performance.now() - began < 500)
  }
})
