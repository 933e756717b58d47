import { readFileSync } from 'node:fs'
import { type Command, Option } from 'commander'
import type { DkimSelectorJson } from '../../shared/admin/dkim.ts'
import { CliError } from './cli-error.ts'
import { addDkimChecks } from './dkim-check.ts'
import { addDkimSign } from './dkim-sign.ts'
import { table } from './print.ts'
import type { Session } from './session.ts'

interface AddOptions {
  readonly selector?: string
  readonly algorithm?: 'rsa' | 'ed25519'
  readonly keyFile?: string
  readonly sign: boolean
}

const addHelp = `
The record is to be published in the domain's DNS. A second selector is published first, and signs some days later:
then the first one is turned off, and removed when no mail that it signed is under way.

Examples:
  postern dkim add example.org
  postern dkim add example.org --algorithm ed25519
  postern dkim add example.org --selector 2027a --no-sign
  postern dkim add example.org --key-file old-server.pem`

/** Adds `postern dkim …`. */
export function addDkimCommands(program: Command, session: Session): void {
  const dkim = program
    .command('dkim')
    .description('what the mail of a domain is signed with, and whether it is')
  dkim
    .command('list <domain>')
    .description('list the selectors of a domain, with their DNS records')
    .action(async (domain: string) => {
      const selectors = await (await session.client()).get<DkimSelectorJson[]>(pathOf(domain))
      const rows = selectors.map((each) => [each.Selector, each.Algorithm, each.Sign ? 'signs' : 'waits'])
      const records = selectors.map((selector) => `\n${zoneLine(selector)}`).join('')
      session.show(selectors, `${table(['SELECTOR', 'ALGORITHM', 'STATE'], rows)}${records}`)
    })
  dkim
    .command('add <domain>')
    .description('make a key, or bring one along, and sign with it')
    .option('--selector <name>', 'its name (default: the year and a letter)')
    .addOption(new Option('--algorithm <name>', 'of the key (default: rsa)').choices(['rsa', 'ed25519']))
    .option('--key-file <pem>', 'a private key that exists already')
    .option('--no-sign', 'do not sign with it yet')
    .addHelpText('after', addHelp)
    .action(async (domain: string, options: AddOptions) => await add(session, domain, options))
  dkim
    .command('update <domain> <selector>')
    .description('begin or end signing with a selector')
    .option('--sign', 'sign with it')
    .option('--no-sign', 'do not sign with it')
    .action(async (domain: string, selector: string, { sign }: { readonly sign?: boolean }) => {
      if (sign === undefined) throw new CliError('nothing to change: give --sign or --no-sign')
      const path = `${pathOf(domain)}/${encodeURIComponent(selector)}`
      const changed = await (await session.client()).patch<DkimSelectorJson>(path, { Sign: sign })
      session.show(changed, `selector ${selector} of ${domain} ${sign ? 'signs' : 'does not sign'}`)
    })
  dkim
    .command('remove <domain> <selector>')
    .description('remove a selector and its key')
    .action(async (domain: string, selector: string) => {
      await (await session.client()).remove(`${pathOf(domain)}/${encodeURIComponent(selector)}`)
      session.show({}, `selector ${selector} of ${domain} removed`)
    })
  addDkimChecks(dkim, session)
  addDkimSign(dkim, session)
}

async function add(session: Session, domain: string, options: AddOptions): Promise<void> {
  const { selector, algorithm, keyFile, sign } = options
  const added = await (await session.client()).post<DkimSelectorJson>(pathOf(domain), {
    ...(selector !== undefined && { Selector: selector }),
    ...(algorithm !== undefined && { Algorithm: `${algorithm}-sha256` }),
    ...(keyFile !== undefined && { PrivateKey: readKey(keyFile) }),
    Sign: sign,
  })
  const state = sign ? 'mail is signed with it from now on' : 'nothing is signed with it yet'
  session.show(added, `selector ${added.Selector} of ${domain} added; ${state}. Publish:\n${zoneLine(added)}`)
}

function readKey(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new CliError(`--key-file: ${error instanceof Error ? error.message : error}`)
  }
}

function pathOf(domain: string): string {
  return `/domains/${encodeURIComponent(domain)}/dkim`
}

/** RFC 1035 §3.3.14, §5.1: character-strings of at most 255 octets. */
function zoneLine({ Record: { Name, Text } }: DkimSelectorJson): string {
  const strings = (Text.match(/.{1,200}/g) ?? []).map((text) => `"${text}"`)
  return `${Name}. TXT ${strings.length > 1 ? `( ${strings.join(' ')} )` : strings.join('')}`
}
