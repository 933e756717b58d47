import { createPrivateKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { systemClock } from '../../shared/adapters/system/clock.ts'
import { readDkimKeyPair } from '../../shared/dkim/dkim-key.ts'
import { dkimSignatures, type Signer } from '../../shared/dkim/sign.ts'
import { CliError } from './cli-error.ts'
import { readMessage, readSelector } from './dkim-check.ts'
import { writeMessage } from './dump-message.ts'
import { readDomain } from './read-domain.ts'
import type { Session } from './session.ts'

interface SignOptions {
  readonly key: string
  readonly domain: string
  readonly selector: string
  readonly whole?: boolean
}

const help = `
Signs a message as Postern signs the mail that it sends (RFC 6376), with a key that lies here, and prints the header field
to be put before it, or with --whole the message with it. Nothing is sent, and no installation is asked. In the file, bare
LF, as programs write it here, stand for CRLF.

Examples:
  postern dkim sign message.eml --key private.pem --domain example.org --selector 2027a
  postern dkim sign message.eml --key private.pem --domain example.org --selector 2027a --whole >signed.eml`

/** Adds `postern dkim sign`, which needs no installation. */
export function addDkimSign(dkim: Command, session: Session): void {
  dkim
    .command('sign <file>')
    .description('sign a message with a key that lies here')
    .requiredOption('--key <pem>', 'the private key, RSA or Ed25519')
    .requiredOption('--domain <name>', 'the domain that signs')
    .requiredOption('--selector <name>', 'the selector under which the key is published')
    .option('--whole', 'print the whole message, with CRLF')
    .addHelpText('after', help)
    .action(async (file: string, { key, domain, selector, whole }: SignOptions) => {
      const signer = {
        domain: readDomain('--domain', domain),
        selector: readSelector(selector),
        ...readKey(key),
      }
      const message = readMessage(file)
      const field = await dkimSignatures(message, [signer], systemClock.now())
      if (whole) {
        writeMessage(Buffer.concat([Buffer.from(field), message]))
        return
      }
      const { algorithm } = signer
      session.show({ algorithm, field }, field.replaceAll('\r\n', '\n').trimEnd())
    })
}

function readKey(file: string): Pick<Signer, 'algorithm' | 'privateKey'> {
  try {
    const { algorithm, privateKey } = readDkimKeyPair(readFileSync(file, 'utf8'))
    const key = createPrivateKey({ key: Buffer.from(privateKey), format: 'der', type: 'pkcs8' })
    return { algorithm, privateKey: key }
  } catch (error) {
    throw new CliError(`--key: ${error instanceof Error ? error.message : error}`)
  }
}
