import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { createTransport } from 'nodemailer'
import { eventually } from '../../scripts/eventually.ts'
import { type Installation, large, type Outside, type Step } from './integration-steps.ts'

/** What mail programs do. */
export const submissionSteps: readonly Step[] = [
  { name: 'mail programs log in and submit, small and large', run: submitMessages },
]

/** An account with the usual limits, and without unique reverse-paths. */
const mailer = { user: 'mailer@plain.test', pass: 'a long password' } as const

async function submitMessages(postern: Installation, { mailHost }: Outside): Promise<void> {
  await postern.admin.put('/accounts/mailer', { Password: mailer.pass, Addresses: [mailer.user] })
  // The listener may work with options that are five seconds old.
  await sleep(5_000)
  await assert.rejects(submit(postern, 'wrong', 'refused', 'x'), /535 5\.7\.8/)
  await submit(postern, mailer.pass, 'submitted', 'x')
  await submit(postern, mailer.pass, 'submitted large', large())
  for (const subject of ['submitted', 'submitted large']) {
    await eventually(`the mail ${subject}`, async () => {
      const mails = await postern.admin.get<{ Subject: string }[]>('/mail')
      return mails.find(({ Subject }) => Subject === subject)
    })
  }
  await submit(postern, mailer.pass, 'submitted', 'x', 'submitted@direct.test')
  await eventually('the mail to direct.test', () => mailHost.taken.includes('submitted@direct.test'))
}

async function submit(
  { submissionPort: port }: Installation,
  pass: string,
  subject: string,
  text: string,
  to = 'someone@one.test',
): Promise<void> {
  const transport = createTransport({ host: '127.0.0.1', port, ignoreTLS: true, auth: { ...mailer, pass } })
  try {
    await transport.sendMail({ from: mailer.user, to, subject, text })
  } finally {
    transport.close()
  }
}
