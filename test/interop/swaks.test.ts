import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../../scripts/eventually.ts'
import { whyMissing } from '../../scripts/labs/programs.ts'
import { localSeed } from '../../scripts/local-postern.ts'
import { smtpSession } from '../support/smtp-session.ts'
import { type TestPostern, testPostern } from '../support/test-postern.ts'

const { address, password } = localSeed
/** What swaks ends with (swaks(1), "EXIT CODES"). */
const REFUSED_LOGIN = 28

describe('swaks', { skip: whyMissing('swaks') }, () => {
  let postern: TestPostern
  let trusted: readonly string[]
  const ends: (() => unknown)[] = []

  before(async () => {
    postern = await testPostern({ after: (end: () => unknown) => void ends.push(end) })
    // The listener may work with options that are five seconds old, from before the account was set up.
    await sleep(5_000)
    const file = join(postern.directory, 'certificate.pem')
    writeFileSync(file, await certificateOf(postern))
    trusted = ['--tls-verify', '--tls-ca-path', file]
  })
  after(async () => {
    for (const end of ends.reverse()) await end()
  })

  const ways = {
    'without TLS': () => [port(postern.submissionPort)],
    STARTTLS: () => [port(postern.submissionPort), '--tls', ...trusted],
    'STARTTLS if it is there': () => [port(postern.submissionPort), '--tls-optional', ...trusted],
    'TLS on connect': () => [port(postern.submissionsPort), '--tls-on-connect', ...trusted],
    'STARTTLS with TLS 1.2': () => [port(postern.submissionPort), '--tls', '--tls-protocol', 'tlsv1_2'],
    'TLS 1.2 on connect': () => [
      port(postern.submissionsPort),
      '--tls-on-connect',
      ...['--tls-protocol', 'tlsv1_2'],
    ],
  }
  for (const [way, options] of Object.entries(ways)) {
    for (const mechanism of ['PLAIN', 'LOGIN']) {
      test(`submits with AUTH ${mechanism}, ${way}; a wrong password does not`, async () => {
        const subject = `swaks ${mechanism} ${way}`
        const login = (pass: string) => [
          ...['--auth', mechanism, '--auth-user', address, '--auth-password', pass],
          ...['--from', address, '--to', 'you@remote.test', '--header', `Subject: ${subject}`],
        ]
        const sent = await swaks([...options(), ...login(password)])
        assert.equal(sent.code, 0, sent.text)
        const refused = await swaks([...options(), ...login('wrong')])
        assert.equal(refused.code, REFUSED_LOGIN, refused.text)
        assert.match(refused.text, /535 5\.7\.8 /)
        await eventually('the mail', async () => {
          const mails = await postern.admin.get<{ Subject: string }[]>('/mail')
          return mails.find(({ Subject }) => Subject === subject)
        })
      })
    }
  }

  for (const options of [['--tls', '--tls-protocol', 'tlsv1_2'], ['--tls'], []]) {
    test(`delivers to port 25 with ${options.join(' ') || 'no TLS'}`, async () => {
      const mail = ['--from', 'someone@remote.test', '--to', address]
      const sent = await swaks([port(postern.smtpPort), ...options, ...mail])
      assert.equal(sent.code, 0, sent.text)
    })
  }

  test('hears that nobody logs in at port 25', async () => {
    const login = ['--auth', '--auth-user', address, '--auth-password', password]
    const sent = await swaks([port(postern.smtpPort), ...login, '--from', address, '--to', address])
    assert.equal(sent.code, REFUSED_LOGIN, sent.text)
  })
})

function port(number: number): string {
  return `--server=localhost:${number}`
}

function swaks(options: readonly string[]): Promise<{ readonly code: number; readonly text: string }> {
  return new Promise((resolve) => {
    const program = execFile('swaks', [...options, '--timeout', '20'], (_error, stdout, stderr) =>
      resolve({ code: program.exitCode ?? -1, text: stdout + stderr }),
    )
    program.stdin?.end()
  })
}

async function certificateOf({ submissionsPort }: TestPostern): Promise<string> {
  const session = await smtpSession({ after() {} }, { port: submissionsPort, isEncrypted: true })
  const certificate = session.tlsSocket().getPeerX509Certificate()?.toString()
  session.hangUp()
  return certificate ?? assert.fail('no certificate')
}
