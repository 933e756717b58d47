import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isSpfRecord, parseSpfRecord } from '../../../shared/authentication/spf-record.ts'

const good = [
  'v=spf1',
  'V=SPF1 ALL',
  'v=spf1 +all',
  'v=spf1 a a/0 a//0 a/32//128 a:b.example a:b.example/24 a:b.example/24//64 a:b.example//64 ~all',
  'v=spf1 mx mx:b.example mx:b.example/24//64',
  'v=spf1 ptr ptr:b.example',
  'v=spf1 include:b.example include:%{d}.b.example include:%{d} include:b.example. include:a:b/c.example',
  'v=spf1 exists:%{ir}.%{l1r+-}._spf.%{d} exists:%%.%_.%-.b.example exists:%{d1r}%%',
  'v=spf1 exists:%{l99999999999999999999.-+,/_=}.example',
  'v=spf1 ip4:0.0.0.0 ip4:255.255.255.255/32 ip4:192.0.2.0/0 ip6::: ip6:2001:db8::/32 ip6:::1/128 ip6:::192.0.2.1',
  'v=spf1 redirect=b.example exp=why.%{d}',
  'v=spf1 x= x= y-_.9=%{c}%{r}%{t} all=1',
  'v=spf1   a   -all   ',
  'v=spf1 a:b.xn--p1ai a:b.4-4 a:b.a1',
]
for (const text of good) {
  test(`takes ${text}`, () => {
    assert.ok(isSpfRecord(text))
    assert.ok(!('problem' in parseSpfRecord(text)))
  })
}

const bad = [
  ['foo'],
  ['all:', 'all/8', 'all.', 'all:b.example', '--all', '+-all', '-'],
  [
    'a:',
    'a/',
    'a//',
    'a/33',
    'a//129',
    'a/24/64',
    'a/024',
    'a//064',
    'a/-1',
    'a:b',
    'a:b.',
    'a:b.1',
    'a:b.-c',
  ],
  ['a:b.c-', 'a:b.example/', 'a:b.example/33', 'a:b.ex\u00e9', 'a:b.example\n', 'a:b.example\0', 'a.example'],
  ['mx:', 'mx/', 'mx/33', 'mx:b..', 'mx:%{d}x', 'mx:%%-'],
  ['ptr:', 'ptr/24', 'ptr:b.example/24', 'ptr.'],
  ['include', 'include:', 'include/24', 'include:b.example/24'],
  [
    'exists',
    'exists:',
    'exists:%{d}/24',
    'exists:%{z}.example',
    'exists:%{}.example',
    'exists:%{d1r2}.example',
  ],
  [
    'ip4',
    'ip4:',
    'ip4:1.2.3',
    'ip4:1.2.3.4.5',
    'ip4:1.2.3.256',
    'ip4:1.2.3.04',
    'ip4:1.2.3.4/33',
    'ip4:1.2.3.4/00',
  ],
  ['ip4:1.2.3.4//32', 'ip4:1.2.3.4:25', 'ip4:::1', 'ip4/8', 'ip4:1.2.3.4/'],
  [
    'ip6',
    'ip6:',
    'ip6:1.2.3.4',
    'ip6:1::2::3',
    'ip6:::1/129',
    'ip6:::1//64',
    'ip6:::1%25eth0',
    'ip6:[::1]',
    'ip6:g::',
  ],
  ['redirect=', 'redirect=b', 'redirect:b.example', 'redirect=%{c}.example', 'redirect=b.example/24'],
  ['exp=', 'exp=b', 'exp=%{r}.example', '=b', '1x=b', 'x=%', 'x=%{', 'x=\u00e9', '_x=b'],
].flat()
for (const term of bad) {
  test(`refuses ${JSON.stringify(term)}, and names it`, () => {
    for (const text of [`v=spf1 ${term} -all`, `v=spf1 +all ${term}`]) {
      assert.deepEqual(parseSpfRecord(text), { problem: `syntax error in ${term}` })
    }
  })
}

for (const name of ['redirect', 'exp', 'EXP']) {
  test(`refuses two modifiers ${name}= (RFC 7208 §6)`, () => {
    const text = `v=spf1 ${name}=b.example -all ${name.toLowerCase()}=b.example`
    assert.deepEqual(parseSpfRecord(text), { problem: `two modifiers ${name.toLowerCase()}=` })
  })
}

for (const text of [
  '',
  'v=spf',
  'v=spf10',
  'v=spf1\tall',
  ' v=spf1',
  'v=spf1\n',
  'spf2.0/mfrom all',
  'xv=spf1',
]) {
  test(`${JSON.stringify(text)} is no SPF record at all (RFC 7208 §4.5)`, () => {
    assert.equal(isSpfRecord(text), false)
  })
}
