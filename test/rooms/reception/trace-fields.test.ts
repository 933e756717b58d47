import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAddress } from '../../../shared/address/address.ts'
import type { RowId } from '../../../shared/base/row-id.ts'
import { formatTraceFields } from '../../../shared/reception/trace-fields.ts'

const copy = {
  client: {
    ipAddress: '192.0.2.1',
    hello: 'mail.remote.example',
    protocol: 'ESMTPS',
    sessionId: 'session',
    tls: { protocol: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' },
  },
  recipient: parseAddress('you@postern.example'),
  id: 42 as RowId,
  receivedAt: Date.UTC(2026, 10, 4, 12, 34, 56),
}

test('a checked message has all results, and DNSSEC and TLS stand in Received too', () => {
  const text = formatTraceFields('mx.postern.example', {
    ...copy,
    mailFrom: parseAddress('ann@remote.example'),
    authentication: {
      iprev: { result: 'pass', name: 'out.remote.example', authentic: true },
      spf: {
        result: 'pass',
        identity: 'mailfrom',
        domain: 'remote.example',
        mechanism: 'ip4:192.0.2.0/24',
        problem: '',
        authentic: true,
      },
      dkim: [],
      dmarc: {
        result: 'pass',
        fromDomain: 'remote.example',
        policyDomain: 'remote.example',
        policy: 'reject',
        problem: '',
        authentic: false,
      },
    },
  })
  assert.equal(
    text,
    'Delivered-To: you@postern.example\r\n' +
      'Return-Path: <ann@remote.example>\r\n' +
      'Authentication-Results: mx.postern.example;\r\n' +
      '\tiprev=pass (with dnssec) policy.iprev=192.0.2.1;\r\n' +
      '\tdkim=none reason="no dkim signatures";\r\n' +
      '\tspf=pass (with dnssec) smtp.mailfrom=remote.example;\r\n' +
      '\tdmarc=pass (without dnssec) header.from=remote.example\r\n' +
      'Received-SPF: pass (domain remote.example)\r\n' +
      '\tclient-ip=192.0.2.1;\r\n' +
      '\tenvelope-from="ann@remote.example";\r\n' +
      '\thelo=mail.remote.example;\r\n' +
      '\tmechanism="ip4:192.0.2.0/24";\r\n' +
      '\treceiver=mx.postern.example;\r\n' +
      '\tidentity=mailfrom\r\n' +
      'Received: from mail.remote.example (out.remote.example [192.0.2.1])\r\n' +
      '\tby mx.postern.example\r\n' +
      '\twith ESMTPS (TLSv1.3 TLS_AES_256_GCM_SHA384) id 42\r\n' +
      '\tfor <you@postern.example>\r\n' +
      '\t(dnssec: iprev yes, spf yes, dmarc no);\r\n' +
      '\t4 Nov 2026 12:34:56 +0000\r\n',
  )
})

test('where senders are not checked, it says that nothing was', () => {
  const { tls: _, ...client } = copy.client
  assert.equal(
    formatTraceFields('localhost', { ...copy, client: { ...client, protocol: 'ESMTP' } }),
    'Delivered-To: you@postern.example\r\n' +
      'Return-Path: <>\r\n' +
      'Authentication-Results: localhost;\r\n' +
      '\tnone\r\n' +
      'Received: from mail.remote.example ([192.0.2.1])\r\n' +
      '\tby localhost\r\n' +
      '\twith ESMTP id 42\r\n' +
      '\tfor <you@postern.example>;\r\n' +
      '\t4 Nov 2026 12:34:56 +0000\r\n',
  )
})
