import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { systemClock, wait } from '../../shared/adapters/system/clock.ts'
import type { DkimResult } from '../../shared/authentication/authentication.ts'
import { lookUpKey, type PublishedKey } from '../../shared/authentication/dkim-key.ts'
import { verifyDkim } from '../../shared/authentication/dkim-verify.ts'
import { CliError } from './cli-error.ts'
import { addResolverOptions, openResolver, type ResolverOptions } from './dns.ts'
import { fields, printable } from './print.ts'
import { readDomain } from './read-domain.ts'
import type { Session } from './session.ts'

const lookupHelp = `
Finds the key that a verifier would use for a signature with that selector (RFC 6376). Asks from this machine, not from
the installation: the resolvers of /etc/resolv.conf, or the given one. The exit code is 1 where nothing can be verified.

Examples:
  postern dkim lookup 2027a example.org
  postern dkim lookup 2027a example.org --server 127.0.0.1:5353 --json`

const verifyHelp = `
Verifies the first ten DKIM signatures of a message (RFC 6376), as incoming mail is verified. The file is the message as
it was received; where it has bare LF only, as programs write it here, they stand for CRLF. Keys are looked up from this
machine, not from the installation. The exit code is 0 where a signature passes.

Examples:
  postern dkim verify message.eml
  postern queue dump shop/115318000123904 | postern dkim verify /dev/stdin`

/** Adds `postern dkim lookup` and `verify`, which need no installation. */
export function addDkimChecks(dkim: Command, session: Session): void {
  const lookup = dkim
    .command('lookup <selector> <domain>')
    .description("show the key that a domain's DNS has for a selector")
  addResolverOptions(lookup)
    .addHelpText('after', lookupHelp)
    .action(async (text: string, domainText: string, options: ResolverOptions) => {
      const [selector, domain] = [readSelector(text), readDomain('domain', domainText)]
      const found = await lookUpKey(openResolver(options), { selector, domain })
      session.show(keyJson(found), keyText(found))
      if (!found.key) process.exitCode = 1
    })
  const verify = dkim.command('verify <file>').description('verify the DKIM signatures of a message')
  addResolverOptions(verify)
    .addHelpText('after', verifyHelp)
    .action(async (file: string, options: ResolverOptions) => {
      const ports = { resolver: openResolver(options), clock: systemClock, wait, log }
      const results = await verifyDkim(ports, readMessage(file))
      const texts = results.map((result, index) => resultText(index + 1, result))
      session.show(results, texts.length > 0 ? texts.join('\n\n') : 'the message has no DKIM signature')
      if (!results.some(({ result }) => result === 'pass')) process.exitCode = 1
    })
}

const log = {
  info: () => {},
  warn: () => {},
  error: (message: string, error: unknown) =>
    void process.stderr.write(
      `${printable(`${message}: ${error instanceof Error ? error.message : error}`)}\n`,
    ),
}

/** RFC 6376 §3.1; underscores are in use. Throws a CliError. */
export function readSelector(text: string): string {
  if (/^[\w-]{1,63}(?:\.[\w-]{1,63})*$/.test(text)) return text.toLowerCase()
  throw new CliError(
    `selector: ${JSON.stringify(text)} must be labels of letters, digits, hyphens and underscores`,
  )
}

/** A message with CRLF, which bare LF stand for. Throws a CliError. */
export function readMessage(file: string): Uint8Array {
  try {
    const content = readFileSync(file)
    if (content.includes('\r\n')) return content
    return Buffer.from(content.toString('latin1').replaceAll('\n', '\r\n'), 'latin1')
  } catch (error) {
    throw new CliError(`file: ${error instanceof Error ? error.message : error}`)
  }
}

function keyJson({ key, problem, ...rest }: PublishedKey): object {
  return {
    ...rest,
    ...(key && { type: key.publicKey.asymmetricKeyType, ...(key.bits !== undefined && { bits: key.bits }) }),
    ...(problem && { problem }),
  }
}

function keyText({ key, problem, text, isTest, authentic }: PublishedKey): string {
  const bits = key?.bits === undefined ? '' : `, ${key.bits} bits`
  return fields({
    ...(text !== undefined && { record: text }),
    dnssec: authentic ? 'with dnssec' : 'without dnssec',
    ...(key && { key: `${key.publicKey.asymmetricKeyType}${bits}` }),
    ...(problem && { problem: problem.problem }),
    ...(isTest && { test: 'the domain only tests DKIM: what does not pass counts as not signed' }),
  })
}

function resultText(number: number, signature: DkimResult): string {
  const { result, problem, domain, selector, algorithm, identity, keyBits, authentic } = signature
  const details = {
    ...(problem !== '' && { problem }),
    ...(domain !== undefined && { domain }),
    ...(identity !== undefined && { identity }),
    ...(selector !== undefined && { selector }),
    ...(algorithm !== undefined && {
      algorithm: `${algorithm}${keyBits === undefined ? '' : `, a key of ${keyBits} bits`}`,
    }),
    dnssec: authentic ? 'with dnssec' : 'without dnssec',
  }
  return `${number}: ${result}\n${fields(details).replace(/^/gm, '   ')}`
}
