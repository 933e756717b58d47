import { isIP } from 'node:net'
import type { Command } from 'commander'
import { systemClock } from '../../shared/adapters/system/clock.ts'
import { type Address, parseAddress } from '../../shared/address/address.ts'
import { AddressSyntaxError } from '../../shared/address/domain-name.ts'
import { checkSpf, type SpfOutcome } from '../../shared/authentication/spf-check.ts'
import { CliError } from './cli-error.ts'
import { addResolverOptions, openResolver, type ResolverOptions } from './dns.ts'
import { fields } from './print.ts'
import type { Session } from './session.ts'

interface CheckOptions extends ResolverOptions {
  readonly helo?: string
}

const help = `
Says what a server would find whom a client with that IP address gives mail with that sender (RFC 7208). Asks from this
machine, not from the installation: the resolvers of /etc/resolv.conf, or the given one. The exit code is 1 for
everything but a pass.

Examples:
  postern spf check shop@example.org 192.0.2.1
  postern spf check example.org 2001:db8::1 --server 127.0.0.1:5353 --json
  postern spf check "" 192.0.2.1 --helo mail.example.org    # a bounce: the EHLO name decides`

/** Adds `postern spf`. */
export function addSpfCommands(program: Command, session: Session): void {
  const spf = program.command('spf').description('see who may send in the name of a domain')
  const check = spf
    .command('check <sender> <ip>')
    .description(
      'judge a sender (an address, a domain, or "" for bounces) and the client that brings its mail',
    )
    .option('--helo <name>', 'how the client greets; the domain of the sender where this is left out')
  addResolverOptions(check)
    .addHelpText('after', help)
    .action(async (sender: string, ip: string, options: CheckOptions) => {
      const mailFrom = readSender(sender)
      const hello = options.helo ?? mailFrom?.domain
      if (isIP(ip) === 0) throw new CliError(`ip: ${JSON.stringify(ip)} must be an IP address`)
      if (hello === undefined) throw new CliError('--helo: is needed where the sender is empty')
      const outcome = await checkSpf(
        { resolver: openResolver(options), clock: systemClock, hostname: 'unknown' },
        {
          client: { ipAddress: ip, hello, protocol: 'ESMTP', sessionId: 'check' },
          ...(mailFrom && { mailFrom }),
        },
      )
      session.show(outcome, outcomeText(outcome))
      if (outcome.result !== 'pass') process.exitCode = 1
    })
}

/** A bare domain stands for its postmaster (RFC 7208 §4.3). */
function readSender(text: string): Address | undefined {
  if (text === '') return undefined
  try {
    return parseAddress(text.includes('@') ? text : `postmaster@${text}`)
  } catch (error) {
    if (error instanceof AddressSyntaxError) throw new CliError(`sender: ${error.message}`)
    throw error
  }
}

function outcomeText({ result, identity, domain, authentic, ...rest }: SpfOutcome): string {
  const { mechanism, problem, explanation } = rest
  return fields({
    result,
    domain: `${domain} (${identity})`,
    dnssec: authentic ? 'with dnssec' : 'without dnssec',
    ...(mechanism && { mechanism }),
    ...(problem && { problem }),
    ...(explanation && { explanation: `the domain says: ${explanation}` }),
  })
}
