import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Authentication } from '../../../shared/authentication/authentication.ts'
import {
  formatAuthenticationResults,
  formatDnssecStatus,
} from '../../../shared/authentication/authentication-results.ts'

const good: Authentication = {
  iprev: { result: 'pass', name: 'mail.remote.example', authentic: false },
  spf: {
    result: 'pass',
    identity: 'mailfrom',
    domain: 'remote.example',
    mechanism: 'ip4:192.0.2.0/24',
    problem: '',
    authentic: true,
  },
  dkim: [
    {
      result: 'pass',
      problem: '',
      domain: 'remote.example',
      selector: '2026a',
      algorithm: 'rsa-sha256',
      identity: '@remote.example',
      signature: 'F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3',
      keyBits: 2048,
      authentic: true,
    },
  ],
  dmarc: {
    result: 'pass',
    fromDomain: 'remote.example',
    policyDomain: 'remote.example',
    policy: 'reject',
    problem: '',
    authentic: true,
  },
}

test('each method has a line with its result, comments and properties (RFC 8601 §2.2)', () => {
  assert.equal(
    formatAuthenticationResults('mx.postern.example', good, '192.0.2.1'),
    'Authentication-Results: mx.postern.example;\r\n' +
      '\tiprev=pass (without dnssec) policy.iprev=192.0.2.1;\r\n' +
      '\tdkim=pass (2048 bit rsa, with dnssec) header.d=remote.example header.s=2026a\r\n' +
      '\theader.a=rsa-sha256 header.b=F45dVWDfMbQD header.i=@remote.example;\r\n' +
      '\tspf=pass (with dnssec) smtp.mailfrom=remote.example;\r\n' +
      '\tdmarc=pass (with dnssec) header.from=remote.example\r\n',
  )
})

test('where nothing was checked it says none (RFC 8601 §2.2)', () => {
  assert.equal(
    formatAuthenticationResults('localhost', undefined, '127.0.0.1'),
    'Authentication-Results: localhost;\r\n\tnone\r\n',
  )
})

test('failures say why, and what the domain asks for', () => {
  const bad: Authentication = {
    iprev: { result: 'permerror', authentic: true },
    spf: { ...good.spf, result: 'temperror', identity: 'helo', domain: '[192.0.2.1]', problem: 'no answer' },
    dkim: [{ result: 'permerror', problem: 'malformed tags', authentic: false }],
    dmarc: { ...good.dmarc, result: 'fail', policy: 'quarantine', authentic: false },
  }
  assert.equal(
    formatAuthenticationResults('mx.postern.example', bad, '2001:db8::1'),
    'Authentication-Results: mx.postern.example;\r\n' +
      '\tiprev=permerror (with dnssec) policy.iprev="2001:db8::1";\r\n' +
      '\tdkim=permerror reason="malformed tags";\r\n' +
      '\tspf=temperror (with dnssec) reason="no answer" smtp.helo="[192.0.2.1]";\r\n' +
      '\tdmarc=fail (policy quarantine, without dnssec) header.from=remote.example\r\n',
  )
})

test('a message without signatures, and one without author', () => {
  const dmarc = { result: 'none', policy: 'none', problem: 'no author domain', authentic: false } as const
  assert.match(
    formatAuthenticationResults('mx.postern.example', { ...good, dkim: [], dmarc }, '192.0.2.1'),
    /\r\n\tdkim=none reason="no dkim signatures";\r\n.*\r\n\tdmarc=none reason="no author domain"\r\n$/,
  )
})

test('no name, selector or identity ends the field, quotes its way out, or makes it too long', () => {
  const evil = 'x"; dmarc=pass (a)\r\nSubject: \\\u0000ü'
  const [dkim] = good.dkim
  const field = formatAuthenticationResults(
    'mx.postern.example',
    {
      ...good,
      spf: { ...good.spf, domain: evil, problem: evil },
      dkim: [
        { ...dkim, result: 'fail', problem: evil, identity: evil, signature: 'a/b+c=', authentic: true },
        { ...dkim, result: 'fail', problem: '', identity: '"a b"@y.example', authentic: true },
        { ...dkim, result: 'fail', problem: '', identity: `${'x'.repeat(5000)}@y.example`, authentic: true },
      ],
    },
    '192.0.2.1',
  )
  const quoted = '"x\\"; dmarc=pass (a)??Subject: \\\\??"'
  assert.ok(field.includes(`reason=${quoted}`), field)
  assert.ok(field.includes(`header.i=${quoted}`), field)
  assert.ok(field.includes(`smtp.mailfrom=${quoted}`), field)
  assert.ok(field.includes('header.b="a/b+c="'), field)
  assert.ok(field.includes('header.i="\\"a b\\"@y.example"'), field)
  const lines = field.split('\r\n')
  assert.equal(lines.pop(), '')
  assert.ok(lines.slice(1).every((line) => line.startsWith('\t') && /^[\t -~]{1,998}$/.test(line)))
})

test('the status of DNSSEC is told method by method', () => {
  const [dkim] = good.dkim
  const several = { ...good, dkim: [{ ...dkim, authentic: false }, dkim] as Authentication['dkim'] }
  assert.equal(formatDnssecStatus(several), 'dnssec: iprev no, dkim no, dkim yes, spf yes, dmarc yes')
  assert.equal(formatDnssecStatus({ ...good, dkim: [] }), 'dnssec: iprev no, spf yes, dmarc yes')
})
