import SMTPConnection from 'nodemailer/lib/smtp-connection'

/** Hands a message to an SMTP server on this machine, as another server would; rejects when it is refused. */
export async function deliverRaw(
  port: number,
  mailFrom: string,
  recipient: string,
  message: string | Uint8Array,
): Promise<void> {
  const connection = new SMTPConnection({ host: '127.0.0.1', port, ignoreTLS: true })
  await new Promise<void>((resolve, reject) => {
    connection.once('error', reject)
    connection.connect((error) => (error ? reject(error) : resolve()))
  })
  await new Promise<void>((resolve, reject) => {
    connection.send({ from: mailFrom, to: [recipient] }, Buffer.from(message), (error) =>
      error ? reject(error) : resolve(),
    )
  })
  connection.quit()
}
