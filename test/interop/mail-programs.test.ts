import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../../scripts/eventually.ts'
import { type PostfixLab, startPostfix, whyNoPostfix } from '../../scripts/labs/postfix-lab.ts'
import { environment, whyMissing } from '../../scripts/labs/programs.ts'
import { localSeed } from '../../scripts/local-postern.ts'
import { type TestPostern, testPostern } from '../support/test-postern.ts'

const { address, password } = localSeed

let postern: TestPostern
const ends: (() => unknown)[] = []
before(async () => {
  if (whyMissing('msmtp') && whyNoPostfix()) return
  postern = await testPostern({ after: (end: () => unknown) => void ends.push(end) })
  // The listener may work with options that are five seconds old, from before the account was set up.
  await sleep(5_000)
})
after(async () => {
  for (const end of ends.reverse()) await end()
})

describe('msmtp submits', { skip: whyMissing('msmtp') }, () => {
  for (const tls of ['on', 'off']) {
    for (const mechanism of ['plain', 'login', 'scram-sha-256']) {
      // What Debian's msmtp was built with decides: without GNU SASL it has no SCRAM.
      test(`with ${mechanism}, STARTTLS ${tls}`, async (t) => {
        const subject = `msmtp ${mechanism} ${tls}`
        const { code, text } = await msmtp(
          [
            ...['--file=/dev/null', '--host=127.0.0.1', `--port=${postern.submissionPort}`, `--tls=${tls}`],
            ...['--tls-certcheck=off', `--auth=${mechanism}`, `--user=${address}`],
            ...[`--passwordeval=echo ${password}`, `--from=${address}`, 'you@remote.test'],
          ],
          `Subject: ${subject}\nFrom: ${address}\nTo: you@remote.test\n\nhello\n`,
        )
        if (/support for authentication method \S+ is not compiled in/.test(text)) return t.skip(text.trim())
        assert.equal(code, 0, text)
        assert.match(await arrived(subject), /\r\n\twith ESMTP(SA|A)? /)
      })
    }
  }
})

describe('Postfix', { skip: whyNoPostfix() }, () => {
  let postfix: PostfixLab
  after(async () => await postfix?.stop())

  test('relays through submission, with TLS and a login', async () => {
    const relay = `[127.0.0.1]:${postern.submissionPort}`
    postfix = await startPostfix({
      settings: {
        relayhost: relay,
        smtp_sasl_auth_enable: 'yes',
        smtp_sasl_password_maps: `inline:{ {${relay} = ${address}:${password}} }`,
        smtp_sasl_security_options: 'noanonymous',
        smtp_tls_security_level: 'encrypt',
        smtp_tls_loglevel: '1',
      },
    })
    const message = `Subject: relayed by Postfix\nFrom: ${address}\n\n.leading dot\n..two\n`
    await postfix.sendmail(address, ['one@remote.test', 'two@remote.test'], message)
    const raw = await arrived('relayed by Postfix')
    assert.match(raw, /\r\n\twith ESMTPSA \(TLSv1\.3 /)
    assert.ok(raw.endsWith('\r\n.leading dot\r\n..two\r\n'), raw.slice(-200))
    const log = await eventually('both are sent', () => {
      const sent = postfix.log().match(/to=<(one|two)@remote\.test>.* status=sent \(250 2\./g) ?? []
      return sent.length === 2 && postfix.log()
    })
    assert.match(log, /TLS connection established to 127\.0\.0\.1/)
    await postfix.stop()
  })

  test('delivers to port 25: 8-bit and international mail, and hears of refusals', async () => {
    postfix = await startPostfix({
      settings: { relayhost: `[127.0.0.1]:${postern.smtpPort}`, smtp_tls_security_level: 'may' },
    })
    const header = 'Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit'
    const message = `Subject: delivered by Postfix\nFrom: ann@postfix.test\n${header}\n\ngrüße\n`
    await postfix.sendmail('ann@postfix.test', ['grüße@remote.test', 'rcptto+550@remote.test'], message)
    const raw = await arrived('delivered by Postfix')
    assert.match(raw, /\r\n\twith UTF8SMTPS \(TLSv1\.3 /)
    assert.ok(raw.endsWith('\r\ngrüße\r\n'), raw.slice(-200))
    await eventually('the refusal', () =>
      /to=<rcptto\+550@remote\.test>.* status=bounced .*550 5\.0\.0/.test(postfix.log()),
    )
  })
})

/** The mail with that subject, as it lies in the mailbox. */
async function arrived(subject: string): Promise<string> {
  const found = await eventually(`the mail ${subject}`, async () => {
    const mails = await postern.admin.get<{ MsgID: number; Subject: string }[]>('/mail')
    return mails.find((mail) => mail.Subject === subject)
  })
  const raw = await postern.post('MessageRawGet', JSON.stringify({ MsgID: found.MsgID }), {
    'content-type': 'application/json',
  })
  return await raw.text()
}

async function msmtp(
  args: readonly string[],
  input: string,
): Promise<{ readonly code: number; readonly text: string }> {
  return await new Promise((resolve) => {
    const child = execFile('msmtp', args, { env: environment }, (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), text: stdout + stderr }),
    )
    child.stdin?.end(input)
  })
}
