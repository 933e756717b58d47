import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FakeZone } from '../../support/fake-dns.ts'
import { askSpf } from '../../support/spf-check.ts'

// The examples of RFC 7208, Appendix A, with house.example for example.com and home.example for example.org.

const hosts: FakeZone = {
  'house.example': {
    A: ['192.0.2.10', '192.0.2.11'],
    MX: [
      [10, 'mail-a.house.example'],
      [20, 'mail-b.house.example'],
    ],
  },
  'amy.house.example': { A: ['192.0.2.65'] },
  'bob.house.example': { A: ['192.0.2.66'] },
  'mail-a.house.example': { A: ['192.0.2.129'] },
  'mail-b.house.example': { A: ['192.0.2.130'] },
  'home.example': { MX: [[10, 'mail-c.home.example']] },
  'mail-c.home.example': { A: ['192.0.2.140'] },
  '10.2.0.192.in-addr.arpa': { PTR: ['house.example'] },
  '11.2.0.192.in-addr.arpa': { PTR: ['house.example'] },
  '65.2.0.192.in-addr.arpa': { PTR: ['amy.house.example'] },
  '66.2.0.192.in-addr.arpa': { PTR: ['bob.house.example'] },
  '129.2.0.192.in-addr.arpa': { PTR: ['mail-a.house.example'] },
  '130.2.0.192.in-addr.arpa': { PTR: ['mail-b.house.example'] },
  '140.2.0.192.in-addr.arpa': { PTR: ['mail-c.home.example'] },
  '4.0.0.10.in-addr.arpa': { PTR: ['bob.house.example'] },
}

/** The clients of the examples; 10.0.0.4 has a forged name. */
const clients = [
  '192.0.2.10',
  '192.0.2.11',
  '192.0.2.65',
  '192.0.2.66',
  '192.0.2.129',
  '192.0.2.130',
  '192.0.2.140',
  '10.0.0.4',
]
const passing = [
  { record: 'v=spf1 +all', pass: clients },
  { record: 'v=spf1 a -all', pass: ['192.0.2.10', '192.0.2.11'] },
  { record: 'v=spf1 a:home.example -all', pass: [] },
  { record: 'v=spf1 mx -all', pass: ['192.0.2.129', '192.0.2.130'] },
  { record: 'v=spf1 mx:home.example -all', pass: ['192.0.2.140'] },
  {
    record: 'v=spf1 mx mx:home.example -all',
    pass: ['192.0.2.129', '192.0.2.130', '192.0.2.140'],
  },
  {
    record: 'v=spf1 mx/30 mx:home.example/30 -all',
    pass: ['192.0.2.129', '192.0.2.130', '192.0.2.140'],
  },
  {
    record: 'v=spf1 ptr -all',
    pass: ['192.0.2.10', '192.0.2.11', '192.0.2.65', '192.0.2.66', '192.0.2.129', '192.0.2.130'],
  },
  {
    record: 'v=spf1 ip4:192.0.2.128/28 -all',
    pass: ['192.0.2.129', '192.0.2.130', '192.0.2.140'],
  },
]
for (const { record, pass } of passing) {
  test(`${record} lets pass whom it means (RFC 7208 A.1)`, async () => {
    const zone = { ...hosts, 'house.example': { ...hosts['house.example'], TXT: [record] } }
    const passed: string[] = []
    for (const ip of clients) {
      const { result } = await askSpf({ zone, from: 'a@house.example', ip })
      if (result === 'pass') passed.push(ip)
      else assert.equal(result, 'fail')
    }
    assert.deepEqual(passed, pass)
  })
}

const severalDomains: FakeZone = {
  ...hosts,
  'home.example': { TXT: ['v=spf1 include:house.example include:net.example -all'] },
  'la.home.example': { TXT: ['v=spf1 redirect=home.example'] },
  'house.example': { ...hosts['house.example'], TXT: ['v=spf1 mx -all'] },
  'net.example': { TXT: ['v=spf1 ip4:198.51.100.1 ~all'] },
}
for (const from of ['a@home.example', 'a@la.home.example']) {
  for (const { ip, result, mechanism } of [
    { ip: '192.0.2.129', result: 'pass', mechanism: 'include:house.example' },
    { ip: '198.51.100.1', result: 'pass', mechanism: 'include:net.example' },
    { ip: '198.51.100.2', result: 'fail', mechanism: 'all' },
  ]) {
    test(`several domains in one record: ${from} from ${ip} is a ${result} (RFC 7208 A.2)`, async () => {
      const outcome = await askSpf({ zone: severalDomains, from, ip })
      assert.deepEqual([outcome.result, outcome.mechanism], [result, mechanism])
    })
  }
}

const perUser: FakeZone = {
  'house.example': {
    TXT: ['v=spf1 include:mobile-users._spf.%{d} include:remote-users._spf.%{d} -all'],
  },
  'mobile-users._spf.house.example': { TXT: ['v=spf1 exists:%{l1r+}.%{d}'] },
  'mary.mobile-users._spf.house.example': { A: ['127.0.0.2'] },
  'remote-users._spf.house.example': { TXT: ['v=spf1 exists:%{ir}.%{l1r+}.%{d}'] },
  '15.15.168.192.joel.remote-users._spf.house.example': { A: ['127.0.0.2'] },
}
for (const { from, ip, result } of [
  { from: 'mary@house.example', ip: '203.0.113.1', result: 'pass' },
  { from: 'mary+list@house.example', ip: '203.0.113.1', result: 'pass' },
  { from: 'joel@house.example', ip: '192.168.15.15', result: 'pass' },
  { from: 'joel@house.example', ip: '192.168.15.16', result: 'fail' },
  { from: 'bob@house.example', ip: '192.168.15.15', result: 'fail' },
]) {
  test(`a record per user: ${from} from ${ip} is a ${result} (RFC 7208 A.3)`, async () => {
    const outcome = await askSpf({ zone: perUser, from, ip })
    assert.equal(outcome.result, result)
  })
}

const both: FakeZone = {
  ...hosts,
  'house.example': { TXT: ['v=spf1 -include:ip4._spf.%{d} -include:ptr._spf.%{d} +all'] },
  'ip4._spf.house.example': { TXT: ['v=spf1 -ip4:192.0.2.0/24 +all'] },
  'ptr._spf.house.example': { TXT: ['v=spf1 -ptr:home.example +all'] },
}
for (const { ip, result } of [
  { ip: '192.0.2.140', result: 'pass' },
  { ip: '192.0.2.65', result: 'fail' },
  { ip: '10.0.0.4', result: 'fail' },
]) {
  test(`negative includes demand both: ${ip} is a ${result} (RFC 7208 A.4)`, async () => {
    assert.equal((await askSpf({ zone: both, from: 'a@house.example', ip })).result, result)
  })
}
