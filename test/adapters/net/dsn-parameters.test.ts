import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readExtensions } from '../../../shared/adapters/net/client-parameters.ts'
import { smtpDialer } from '../../../shared/adapters/net/smtp-dialer.ts'
import { parseAddress } from '../../../shared/address/address.ts'
import type { RequestedMessage } from '../../../shared/queue/transport.ts'
import { scriptedServer } from './scripted-server.ts'
import { assertOpen, directRequest, sessionRequest } from './session-request.ts'

const to = (address: string, more: Partial<RequestedMessage> = {}) => ({
  recipient: parseAddress(address),
  ...more,
})

/** What MAIL and RCPT say, and who gives notices, as `givesNotices` of each outcome. */
async function sent(
  t: Parameters<typeof scriptedServer>[0],
  messages: readonly Partial<RequestedMessage>[],
  extensions: readonly string[] = ['DSN', 'PIPELINING'],
) {
  const server = await scriptedServer(t, { extensions })
  const session = await smtpDialer({ quitMs: 200 }).open(sessionRequest(server.port))
  assertOpen(session)
  const outcomes = await session.send(directRequest(messages))
  await session.end()
  return {
    commands: server.commands.filter((command) => /^(MAIL|RCPT)/.test(command)),
    givesNotices: outcomes.map((outcome) => outcome.kind === 'accepted' && outcome.givesNotices === true),
  }
}

const SENDER = { envelopeId: 'QQ 3=1', return: 'HDRS' } as const

for (const pipelining of [['PIPELINING'], []]) {
  test(`each recipient has the DSN parameters of its own${pipelining.length > 0 ? ', pipelined' : ''} (RFC 3461 §5.2.1)`, async (t) => {
    const messages = [
      to('a@x.example', {
        dsn: { ...SENDER, notify: ['SUCCESS', 'DELAY'], originalRecipient: 'rfc822;a+b@y.example' },
      }),
      to('b@x.example', { dsn: { ...SENDER, notify: [] } }),
      to('c@x.example', { dsn: SENDER }),
      to('d@x.example'),
    ]
    assert.deepEqual(await sent(t, messages, ['DSN', ...pipelining]), {
      commands: [
        'MAIL FROM:<from@here.example> RET=HDRS ENVID=QQ+203+3D1',
        'RCPT TO:<a@x.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a+2Bb@y.example',
        'RCPT TO:<b@x.example> NOTIFY=NEVER',
        'RCPT TO:<c@x.example>',
        'RCPT TO:<d@x.example>',
      ],
      givesNotices: [true, true, false, false],
    })
  })
}

test('a server that does not offer DSN is asked for nothing, and notices stay ours (RFC 3461 §5.2.2)', async (t) => {
  const messages = [to('a@x.example', { fromId: 'abc', dsn: { ...SENDER, notify: ['SUCCESS'] } })]
  assert.deepEqual(await sent(t, messages, ['XDSN', 'SIZE']), {
    commands: ['MAIL FROM:<from@here.example> SIZE=23', 'RCPT TO:<a@x.example>'],
    givesNotices: [false],
  })
})

test('the envelope id is the FromID where the sender chose none', async (t) => {
  const { commands } = await sent(t, [to('a@x.example', { fromId: 'abc' })])
  assert.equal(commands[0], 'MAIL FROM:<from@here.example> ENVID=abc')
  const chosen = await sent(t, [to('a@x.example', { fromId: 'abc', dsn: { envelopeId: 'mine' } })])
  assert.equal(chosen.commands[0], 'MAIL FROM:<from@here.example> ENVID=mine')
})

test('keywords are read in any case, the first of each counts, and what is none is passed over (RFC 5321 §4.1.1.1)', () => {
  const lines = ['size 10', 'SIZE 20', 'AUTH=LOGIN PLAIN', 'X-Own a=b', '!odd', '', 'DSN']
  assert.deepEqual(
    [...readExtensions(lines)],
    [
      ['SIZE', '10'],
      ['AUTH', 'LOGIN PLAIN'],
      ['X-OWN', 'a=b'],
      ['DSN', ''],
    ],
  )
})
