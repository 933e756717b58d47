import fc from 'fast-check'
import type { FakeZone } from './fake-dns.ts'

const names = [
  'a.example',
  'b.example',
  'c.a.example',
  'd.example',
  'absent.example',
  'x..example',
  '%{d}',
  '%{D}',
  '%{o}',
  '%{h}',
  '%{l}.example',
  '%{l1r-}.%{d2}',
  '%{p}.example',
  '%{ir}.%{v}.example',
]
const name = fc.constantFrom(...names)
const qualifier = fc.constantFrom('', '+', '-', '~', '?')
const term = fc.oneof(
  fc
    .tuple(qualifier, fc.constantFrom('a', 'mx', 'ptr', 'include', 'exists'), name)
    .map(([sign, mechanism, domain]) => `${sign}${mechanism}:${domain}`),
  fc
    .tuple(
      qualifier,
      fc.constantFrom(
        'a',
        'mx',
        'ptr',
        'a/24',
        'mx//64',
        'ip4:192.0.2.9/28',
        'ip6:2001:db8::/32',
        'all',
        'moo',
      ),
    )
    .map((parts) => parts.join('')),
)
const modifier = (which: string) =>
  fc.option(
    name.map((domain) => `${which}=${domain}`),
    { nil: '' },
  )
const record = fc
  .tuple(fc.array(term, { maxLength: 8 }), modifier('redirect'), modifier('exp'))
  .map(([terms, ...modifiers]) => ['v=spf1', ...terms, ...modifiers].filter(Boolean).join(' '))

const host = fc.constantFrom('a.example', 'b.example', 'c.a.example', 'absent.example')
const some = <Value>(value: fc.Arbitrary<Value>, most = 3) => fc.array(value, { maxLength: most })
const here = fc.record({
  TXT: fc.oneof({ weight: 6, arbitrary: fc.tuple(record) }, { weight: 1, arbitrary: some(record) }),
  A: some(fc.constantFrom('192.0.2.1', '192.0.2.77', '198.51.100.1')),
  AAAA: some(fc.constantFrom('2001:db8::1', '2001:db8::2')),
  MX: some(fc.tuple(fc.nat(30), host), 12),
  fails: fc.oneof({ weight: 12, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  authentic: fc.boolean(),
})

/** Zones of records that refer to each other; 192.0.2.1 and 2001:db8::1 have names. */
export const spfZones: fc.Arbitrary<FakeZone> = fc
  .tuple(
    fc.dictionary(fc.constantFrom('a.example', 'b.example', 'c.a.example', 'd.example'), here, {
      minKeys: 2,
    }),
    some(host, 12),
  )
  .map(([zone, PTR]) => ({
    ...zone,
    '1.2.0.192.in-addr.arpa': { PTR },
    '1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa': { PTR },
  }))
