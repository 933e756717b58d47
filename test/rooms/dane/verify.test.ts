import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DAY } from '../../../shared/base/clock.ts'
import { type DaneChecks, verifyDane } from '../../../shared/dane/verify.ts'
import type { TlsAssociation } from '../../../shared/dns/resolver.ts'
import { makeAuthority, makeCertificate, type TestCertificate } from '../../support/certificates.ts'
import { associate } from '../../support/tlsa.ts'

const now = Date.now()
const past = { validFrom: new Date(now - 9 * DAY), validTo: new Date(now - 8 * DAY) }
const future = { validFrom: new Date(now + 8 * DAY), validTo: new Date(now + 9 * DAY) }
const names = ['mx.example', 'example']

const root = await makeAuthority({ subject: 'root' })
const middle = await makeAuthority({ subject: 'middle', issuer: root })
const leaf = await makeCertificate({ subject: 'leaf', issuer: middle, names: ['mx.example'] })
const ofRoot = await makeCertificate({ issuer: root, names: ['mx.example'] })
const foreignRoot = await makeAuthority({ subject: 'foreign root' })
const foreign = await makeCertificate({ subject: 'foreign', issuer: foreignRoot, names: ['mx.example'] })
const namesake = await makeAuthority({ subject: 'middle', issuer: foreignRoot })

interface Case {
  readonly rule: string
  readonly records: readonly TlsAssociation[]
  readonly chain: readonly TestCertificate[]
  readonly checks?: Partial<DaneChecks>
  /** The record that verified by its place; or what else came of it, and a part of the reason. */
  readonly expected: number | RegExp | readonly ['unauthenticated', RegExp]
}

async function issued(terms: Parameters<typeof makeCertificate>[0]): Promise<TestCertificate> {
  return await makeCertificate({ subject: 'own', issuer: root, names: ['mx.example'], ...terms })
}

/** A server's certificate, of an authority that the root certified on these terms. */
async function below(terms: Parameters<typeof makeCertificate>[0]): Promise<readonly TestCertificate[]> {
  const authority = await makeAuthority({ subject: 'between', issuer: root, ...terms })
  return [await issued({ issuer: authority }), authority, root]
}

/** NameConstraints of one DNS name: 0 permits it, 1 excludes it. */
function nameConstraint(place: 0 | 1, name: string): readonly [string, Uint8Array] {
  const wrap = (tag: number, content: Buffer) => Buffer.concat([Buffer.from([tag, content.length]), content])
  const subtree = wrap(0x30, wrap(0x82, Buffer.from(name)))
  return ['2.5.29.30', wrap(0x30, wrap(0xa0 + place, subtree))]
}

const oldRoot = await makeAuthority({ subject: 'old root', ...past })
const shortRoot = await makeAuthority({ subject: 'short root', pathLength: 0 })
const belowShort = await makeAuthority({ subject: 'below short', issuer: shortRoot })
const broken: TlsAssociation = { usage: 3, selector: 1, matchingType: 1, data: new Uint8Array(31) }
const unknown: TlsAssociation = { usage: 9, selector: 9, matchingType: 9, data: new Uint8Array(1) }
const brokenTa: TlsAssociation = { usage: 2, selector: 0, matchingType: 0, data: new Uint8Array(100) }

const daneEe: readonly Case[] = [
  ...[0, 1].flatMap((selector) =>
    [0, 1, 2].map((matchingType) => ({
      rule: `RFC 6698 §2.1: 3 ${selector} ${matchingType} matches the server's certificate`,
      records: [associate(3, selector, matchingType, leaf)],
      chain: [leaf, middle],
      expected: 0,
    })),
  ),
  {
    rule: 'RFC 7672 §3.1.1: DANE-EE asks for no name, no date and no authority',
    records: [associate(3, 1, 1, leaf)],
    chain: [await issued({ issuer: foreignRoot, keyOf: leaf, names: ['other.example'], ...past })],
    expected: 0,
  },
  {
    rule: 'DANE-EE is about the server’s own certificate, not about another that it sent',
    records: [associate(3, 1, 1, middle)],
    chain: [leaf, middle, root],
    expected: /^dane-ee spki sha2-256: the server has another certificate$/,
  },
  {
    rule: 'RFC 7671 §5: the first record that matches is told, whatever the others say',
    records: [associate(3, 1, 1, foreign), associate(2, 1, 1, foreignRoot), associate(3, 0, 2, leaf)],
    chain: [leaf, middle, root],
    expected: 2,
  },
]

const daneTa: readonly Case[] = [
  ...[0, 1].flatMap((selector) =>
    [0, 1, 2].map((matchingType) => ({
      rule: `RFC 7671 §5.2: 2 ${selector} ${matchingType} matches an authority above the server's certificate`,
      records: [associate(2, selector, matchingType, root)],
      chain: [leaf, middle, root],
      expected: 0,
    })),
  ),
  {
    rule: 'RFC 7671 §5.2: the trust anchor may be an authority below a root',
    records: [associate(2, 0, 1, middle)],
    chain: [leaf, middle],
    expected: 0,
  },
  {
    rule: 'RFC 8446 §4.4.2: a shuffled chain with foreign certificates leads to the trust anchor',
    records: [associate(2, 0, 1, root)],
    chain: [leaf, foreign, root, namesake, foreignRoot, middle],
    expected: 0,
  },
  {
    rule: 'RFC 7671 §5.2.2: a hash of a trust anchor that was not sent matches nothing',
    records: [associate(2, 0, 1, root)],
    chain: [leaf, middle],
    expected: /^dane-ta cert sha2-256: the server sent no such authority$/,
  },
  {
    rule: 'RFC 7671 §5.2.2: a whole certificate in the record need not be sent',
    records: [associate(2, 0, 0, root)],
    chain: [leaf, middle],
    expected: 0,
  },
  {
    rule: 'RFC 7671 §5.2.3: a whole key in the record need not be sent, above an authority',
    records: [associate(2, 1, 0, root)],
    chain: [leaf, middle],
    expected: 0,
  },
  {
    rule: 'RFC 7671 §5.2.3: a whole key in the record need not be sent, above the server’s own certificate',
    records: [associate(2, 1, 0, root)],
    chain: [ofRoot],
    expected: 0,
  },
  {
    rule: 'RFC 7671 §5.2.3: a whole key that signed nothing of the chain matches nothing',
    records: [associate(2, 1, 0, foreignRoot)],
    chain: [leaf, middle, root],
    expected: /nothing leads from/,
  },
  {
    rule: 'RFC 7671 §5.2: a trust anchor beside the chain, which issued nothing of it, matches nothing',
    records: [associate(2, 0, 1, foreignRoot)],
    chain: [leaf, middle, root, foreignRoot],
    expected: /^dane-ta cert sha2-256: nothing leads from "CN=leaf" to the trust anchor$/,
  },
  {
    rule: 'RFC 7671 §5.2: an authority of the same name and another key is not the issuer',
    records: [associate(2, 0, 1, foreignRoot)],
    chain: [leaf, namesake, foreignRoot],
    expected: /nothing leads from/,
  },
  {
    rule: 'RFC 7671 §5.2: the trust anchor is above the server’s certificate, not that itself',
    records: [associate(2, 0, 1, leaf)],
    chain: [leaf, middle, root],
    expected: /the server sent no such authority/,
  },
  {
    rule: 'RFC 7671 §5.2: the server’s certificate is no trust anchor for being sent twice',
    records: [associate(2, 0, 1, leaf)],
    chain: [leaf, leaf, middle, root],
    expected: /nothing leads from "CN=leaf"/,
  },
]

const pkixRules: readonly Case[] = [
  {
    rule: 'RFC 5280 §6.1: an expired trust anchor fails',
    records: [associate(2, 0, 1, oldRoot)],
    chain: [await issued({ issuer: oldRoot }), oldRoot],
    expected: /^dane-ta cert sha2-256: "CN=old root" expired on /,
  },
  {
    rule: 'RFC 5280 §6.1: an expired trust anchor fails that is in the record',
    records: [associate(2, 0, 0, oldRoot)],
    chain: [await issued({ issuer: oldRoot })],
    expected: /"CN=old root" expired on /,
  },
  {
    rule: 'RFC 5280 §6.1: an expired certificate under a good trust anchor fails',
    records: [associate(2, 0, 1, root)],
    chain: [await issued(past), root],
    expected: /"CN=own" expired on /,
  },
  {
    rule: 'RFC 5280 §6.1: a certificate that is not valid yet fails',
    records: [associate(2, 0, 1, root)],
    chain: [await issued(future), root],
    expected: /"CN=own" is not valid before /,
  },
  {
    rule: 'RFC 5280 §4.2.1.12: a certificate for clients only fails',
    records: [associate(2, 0, 1, root)],
    chain: [await issued({ extendedKeyUsage: '1.3.6.1.5.5.7.3.2' }), root],
    expected: /"CN=own" is not for TLS servers/,
  },
  {
    rule: 'RFC 5280 §4.2.1.12: a certificate for servers passes',
    records: [associate(2, 0, 1, root)],
    chain: [await issued({ extendedKeyUsage: '1.3.6.1.5.5.7.3.1' }), root],
    expected: 0,
  },
  {
    rule: 'RFC 5280 §4.2.1.9: a path may be as long as an authority allows',
    records: [associate(2, 0, 1, shortRoot)],
    chain: [await issued({ issuer: shortRoot }), shortRoot],
    expected: 0,
  },
  {
    rule: 'RFC 5280 §4.2.1.9: a path that is longer than an authority allows fails',
    records: [associate(2, 0, 1, shortRoot)],
    chain: [await issued({ issuer: belowShort }), belowShort, shortRoot],
    expected: /"CN=short root" allows fewer authorities below itself/,
  },
  ...(await Promise.all(
    [
      { what: 'an expired authority', terms: past, expected: /"CN=between" expired on / },
      { what: 'an authority of the future', terms: future, expected: /"CN=between" is not valid before / },
      {
        what: 'an issuer that is no authority',
        terms: { isAuthority: false },
        expected: /"CN=between" is no /,
      },
      {
        what: 'a forbidden name',
        terms: { extension: nameConstraint(0, 'other.example') },
        expected: /"CN=between" may not certify mx\.example/,
      },
      {
        what: 'an excluded name',
        terms: { extension: nameConstraint(1, 'example') },
        expected: /"CN=between" may not certify mx\.example/,
      },
      {
        what: 'an authority for clients',
        terms: { extendedKeyUsage: '1.3.6.1.5.5.7.3.2' },
        expected: /"CN=between" is not for TLS servers/,
      },
      {
        what: 'a critical extension that is not known',
        terms: { extension: ['1.2.3.4', Buffer.from('0500', 'hex')] as const },
        expected: /"CN=between" has a critical extension/,
      },
      {
        what: 'a SHA-1 signature',
        terms: { hash: 'SHA-1' as const },
        expected: /nothing leads from "CN=own"/,
      },
    ].map(async ({ what, terms, expected }) => ({
      rule: `RFC 5280 §6.1: ${what} between the server's certificate and the trust anchor fails`,
      records: [associate(2, 0, 1, root)],
      chain: await below(terms),
      expected,
    })),
  )),
  {
    rule: 'RFC 5280 §4.2.1.10: an authority may certify the names that it is permitted to',
    records: [associate(2, 0, 1, root)],
    chain: await below({ extension: nameConstraint(0, 'example') }),
    expected: 0,
  },
  {
    rule: 'RFC 5280 §4.2.1.10: an authority may certify the name itself that it is permitted to',
    records: [associate(2, 0, 1, root)],
    chain: await below({ extension: nameConstraint(0, 'mx.example') }),
    expected: 0,
  },
]

const nameRules: readonly Case[] = [
  {
    rule: 'RFC 7672 §3.2.2: the certificate must be for one of the names',
    records: [associate(2, 0, 1, root)],
    chain: [await issued({ names: ['other.example'] }), root],
    expected: /the server's certificate is not for mx\.example or example$/,
  },
  {
    rule: 'RFC 7672 §3.2.2: the recipient’s domain will do',
    records: [associate(2, 0, 1, root)],
    chain: [await issued({ names: ['EXAMPLE'] }), root],
    expected: 0,
  },
  {
    rule: 'RFC 7672 §3.2.3: a wildcard stands for a whole first label',
    records: [associate(2, 0, 1, root)],
    chain: [await issued({ names: ['*.mail.example'] }), root],
    checks: { names: ['mx.mail.example'] },
    expected: 0,
  },
  {
    rule: 'RFC 7672 §3.2.3: a wildcard does not stand for two labels',
    records: [associate(2, 0, 1, root)],
    chain: [await issued({ names: ['*.mail.example'] }), root],
    checks: { names: ['a.mx.mail.example'] },
    expected: /is not for/,
  },
  {
    rule: 'RFC 7672 §3.2.3: a wildcard does not stand for a part of a label',
    records: [associate(2, 0, 1, root)],
    chain: [await issued({ names: ['m*.mail.example'] }), root],
    checks: { names: ['mx.mail.example'] },
    expected: /is not for/,
  },
  {
    rule: 'RFC 7672 §3.2.3: the common name counts where the certificate has no DNS name',
    records: [associate(2, 0, 1, root)],
    chain: [await issued({ names: [], subject: 'mx.example' }), root],
    expected: 0,
  },
  {
    rule: 'RFC 7672 §3.2.3: the common name does not count beside DNS names',
    records: [associate(2, 0, 1, root)],
    chain: [await issued({ names: ['other.example'], subject: 'mx.example' }), root],
    expected: /is not for/,
  },
]

const unusable: readonly Case[] = [
  {
    rule: 'RFC 7672 §3.1.3: usages 0 and 1 alone authenticate no mail server, even where they would match',
    records: [associate(0, 0, 1, root), associate(1, 1, 1, leaf)],
    chain: [leaf, middle, root],
    checks: { roots: [root.der] },
    expected: ['unauthenticated', /^pkix-ta cert sha2-256: usage pkix-ta does not count here; pkix-ee /],
  },
  {
    rule: 'RFC 7672 §3.1.3: usage 1 beside one that counts is passed over',
    records: [associate(1, 1, 1, foreign), associate(3, 1, 1, leaf)],
    chain: [leaf],
    expected: 1,
  },
  {
    rule: 'a usage that does not count is passed over, although it would match',
    records: [associate(3, 1, 1, leaf)],
    chain: [leaf],
    checks: { usages: [2] },
    expected: ['unauthenticated', /usage dane-ee does not count here/],
  },
  {
    rule: 'RFC 7672 §2.2: malformed records alone leave a server unauthenticated',
    records: [broken, unknown, brokenTa],
    chain: [leaf],
    expected: [
      'unauthenticated',
      /its hash has 31 octets instead of 32; 9 9 9: usage 9 does not count here; dane-ta cert full: its data are no certificate$/,
    ],
  },
  {
    rule: 'RFC 7672 §2.2: unknown selectors and matching types cannot be used',
    records: [
      { ...broken, selector: 2 },
      { ...broken, matchingType: 3 },
    ],
    chain: [leaf],
    expected: ['unauthenticated', /selector 2 is unknown; .*matching type 3 is unknown/],
  },
  {
    rule: 'RFC 7671 §4.1: a key that is none cannot be used',
    records: [{ ...brokenTa, selector: 1 }],
    chain: [leaf],
    expected: ['unauthenticated', /its data are no public key/],
  },
  {
    rule: 'RFC 7672 §2.2: malformed records beside a valid one are passed over',
    records: [broken, unknown, brokenTa, associate(3, 1, 1, leaf)],
    chain: [leaf],
    expected: 3,
  },
  {
    rule: 'RFC 7672 §2.2: malformed records beside a valid one that does not match do not help',
    records: [broken, associate(3, 1, 1, foreign)],
    chain: [leaf],
    expected: /the server has another certificate/,
  },
]

const pkix = { usages: [0, 1, 2, 3], roots: [foreignRoot.der, root.der] }
const pkixUsages: readonly Case[] = [
  {
    rule: 'RFC 6698 §2.1.1: PKIX-EE passes with a trusted authority',
    records: [associate(1, 1, 1, leaf)],
    chain: [leaf, middle],
    checks: pkix,
    expected: 0,
  },
  {
    rule: 'RFC 6698 §2.1.1: PKIX-EE fails without a trusted authority',
    records: [associate(1, 1, 1, leaf)],
    chain: [leaf, middle, root],
    checks: { ...pkix, roots: [foreignRoot.der] },
    expected: /^pkix-ee spki sha2-256: nothing leads from/,
  },
  {
    rule: 'RFC 6698 §2.1.1: PKIX-EE fails for another certificate',
    records: [associate(1, 1, 1, foreign)],
    chain: [leaf, middle],
    checks: pkix,
    expected: /the server has another certificate/,
  },
  {
    rule: 'RFC 6698 §2.1.1: PKIX-EE fails for another name',
    records: [associate(1, 1, 1, leaf)],
    chain: [leaf, middle],
    checks: { ...pkix, names: ['other.example'] },
    expected: /is not for other\.example/,
  },
  ...[root, middle].map((authority) => ({
    rule: `RFC 6698 §2.1.1: PKIX-TA passes for ${authority.subject} on the way to a trusted authority`,
    records: [associate(0, 1, 1, authority)],
    chain: [leaf, middle],
    checks: pkix,
    expected: 0,
  })),
  {
    rule: 'RFC 6698 §2.1.1: PKIX-TA passes for a trusted key that was sent as certified by somebody unknown',
    records: [associate(0, 1, 1, root)],
    chain: [ofRoot, await makeAuthority({ subject: 'root', keyOf: root, issuer: shortRoot })],
    checks: pkix,
    expected: 0,
  },
  {
    rule: 'RFC 6698 §2.1.1: PKIX-TA fails without a trusted authority',
    records: [associate(0, 1, 1, middle)],
    chain: [leaf, middle, root],
    checks: { ...pkix, roots: [foreignRoot.der] },
    expected: /nothing leads from "CN=middle"/,
  },
  {
    rule: 'RFC 6698 §2.1.1: PKIX-TA fails for a trusted authority that is not on the way',
    records: [associate(0, 1, 1, foreignRoot)],
    chain: [leaf, middle],
    checks: pkix,
    expected: /nothing leads from "CN=leaf"/,
  },
  {
    rule: 'RFC 6698 §2.1.1: PKIX-TA fails for an authority that is nowhere',
    records: [associate(0, 1, 1, shortRoot)],
    chain: [leaf, middle],
    checks: pkix,
    expected: /neither the server sent such an authority, nor is it trusted here/,
  },
]

const all = [daneEe, daneTa, pkixRules, nameRules, unusable, pkixUsages].flat()

for (const { rule, records, chain, checks, expected } of all) {
  test(rule, () => {
    const der = chain.map((certificate) => certificate.der)
    const result = verifyDane(records, der, { names, now, ...checks })
    if (typeof expected === 'number') {
      assert.ok(result.kind === 'verified', JSON.stringify(result))
      assert.equal(records.indexOf(result.record), expected)
      return
    }
    const [kind, reason] = expected instanceof RegExp ? (['no-match', expected] as const) : expected
    assert.ok(result.kind === kind, JSON.stringify(result))
    assert.match(result.reason, reason)
  })
}

test('a chain that is empty or no certificate matches nothing', () => {
  for (const chain of [[], [new Uint8Array([0x30, 0x03, 1, 2, 3])]]) {
    assert.deepEqual(verifyDane([associate(3, 1, 1, leaf)], chain, { names, now }), {
      kind: 'no-match',
      reason: "the server's certificate cannot be read",
    })
  }
})

test('what is no certificate among the others of a chain is passed over', () => {
  const chain = [leaf.der, new Uint8Array([1, 2, 3]), middle.der, root.der]
  const { kind } = verifyDane([associate(2, 1, 1, root)], chain, { names, now })
  assert.equal(kind, 'verified')
})

test('a hostile server does not keep us busy: names that agree and keys that do not', async () => {
  const certificates = await Promise.all(
    Array.from({ length: 60 }, async () => await makeAuthority({ subject: 'same', withoutKeyIds: true })),
  )
  const own = await issued({ subject: 'same', withoutKeyIds: true, issuer: certificates[0] ?? root })
  const records = certificates.map((certificate) => associate(2, 0, 1, certificate)).toReversed()
  const chain = [own, ...certificates.toReversed()].map(({ der }) => der)
  const startedAt = performance.now()
  const result = verifyDane(Array(40).fill(records).flat(), chain, { names, now })
  assert.equal(result.kind, 'no-match')
  assert.ok(performance.now() - startedAt < 2000)
})
