import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Authentication, DmarcResult, SpfResult } from '../../../shared/authentication/authentication.ts'
import { judge } from '../../../shared/reception/judge.ts'

const DMARC_REFUSAL = '550 5.7.26 y.example asks to refuse what it does not vouch for (DMARC)'
const SPF_REFUSAL = '550 5.7.23 m.y.example does not allow your address to send its mail (SPF)'

const cases: readonly (readonly [
  dmarc: `${DmarcResult['result']} ${DmarcResult['policy']}`,
  spf: `${SpfResult['result']} ${SpfResult['identity']}`,
  judgement: string,
])[] = [
  ['pass reject', 'pass mailfrom', 'Inbox'],
  ['none none', 'none mailfrom', 'Inbox'],
  // RFC 7489 §6.6.2, RFC 7372 §3.3.
  ['fail reject', 'none mailfrom', DMARC_REFUSAL],
  ['fail reject', 'pass mailfrom', DMARC_REFUSAL],
  ['fail reject', 'fail mailfrom', DMARC_REFUSAL],
  ['fail reject', 'none helo', DMARC_REFUSAL],
  ['fail quarantine', 'none mailfrom', 'Junk'],
  ['fail quarantine', 'softfail mailfrom', 'Junk'],
  ['fail quarantine', 'fail helo', 'Junk'],
  ['fail none', 'none mailfrom', 'Inbox'],
  // RFC 7208 §8.4, RFC 7372 §3.2: unless the author's domain vouches for the message otherwise.
  ['pass reject', 'fail mailfrom', 'Inbox'],
  ['none none', 'fail mailfrom', SPF_REFUSAL],
  ['fail none', 'fail mailfrom', SPF_REFUSAL],
  ['fail quarantine', 'fail mailfrom', SPF_REFUSAL],
  ['permerror none', 'fail mailfrom', SPF_REFUSAL],
  ['temperror reject', 'fail mailfrom', 'Inbox'],
  // A bounce's reverse-path is null, and its EHLO name is nobody's reason.
  ['none none', 'fail helo', 'Inbox'],
  // What is not certain counts against nobody.
  ['none none', 'softfail mailfrom', 'Inbox'],
  ['none none', 'neutral mailfrom', 'Inbox'],
  ['none none', 'temperror mailfrom', 'Inbox'],
  ['none none', 'permerror mailfrom', 'Inbox'],
  ['temperror reject', 'temperror mailfrom', 'Inbox'],
  ['temperror quarantine', 'none mailfrom', 'Inbox'],
  ['permerror none', 'none mailfrom', 'Inbox'],
]
for (const [dmarc, spf, expected] of cases) {
  test(`dmarc ${dmarc}, spf ${spf}: ${expected}`, () => {
    const judgement = judge(authenticationOf(dmarc, spf))
    const shown =
      'code' in judgement
        ? `${judgement.code} ${judgement.enhancedCode} ${judgement.text}`
        : judgement.mailbox
    assert.equal(shown, expected)
  })
}

function authenticationOf(dmarc: string, spf: string): Authentication {
  const [dmarcResult, policy] = dmarc.split(' ')
  const [spfResult, identity] = spf.split(' ')
  return {
    iprev: { result: 'fail', authentic: false },
    spf: {
      result: spfResult as SpfResult['result'],
      identity: identity as SpfResult['identity'],
      domain: 'm.y.example',
      mechanism: '',
      problem: '',
      authentic: false,
    },
    dkim: [],
    dmarc: {
      result: dmarcResult as DmarcResult['result'],
      fromDomain: 'y.example',
      policy: policy as DmarcResult['policy'],
      problem: '',
      authentic: false,
    },
  }
}
