import { cpus } from 'node:os'
import { Command, InvalidArgumentError } from 'commander'
import { requireNode24 } from '../checks/node-version.ts'
import { dnsLab, whyNoDnsLab } from '../labs/dns-lab.ts'
import { whyNoPostfix } from '../labs/postfix-lab.ts'
import { startSmtpSink, whyNoSmtpSink } from '../labs/smtp-sink-lab.ts'
import { DOMAIN } from './direct-drain/message.ts'
import { drainPostern } from './direct-drain/postern-queue.ts'
import { drainPostfix } from './direct-drain/postfix-queue.ts'

// `npm run bench:direct`: how fast the sender empties its queue, beside Postfix.

interface Options {
  readonly messages: number
  readonly profile?: string
}

requireNode24()
const options = new Command('bench:direct')
  .description(
    "Lets Postfix's own queue and then Postern's sender deliver the same messages, queued before, to the same " +
      "smtp-sink. Needs root and Debian's packages postfix, nsd, unbound and ldnsutils.",
  )
  .option('--messages <number>', 'messages in each queue', readCount, 10_000)
  .option('--profile <folder>', "where the sender's CPU profile is written")
  .parse()
  .opts<Options>()
const missing = whyNoPostfix() || whyNoSmtpSink() || whyNoDnsLab()
if (missing) {
  console.error(missing)
  process.exit(1)
}
await compare(options)

async function compare({ messages, profile }: Options): Promise<void> {
  const sink = await startSmtpSink()
  const records = '@ MX 10 mx\nmx A 127.0.0.1'
  const dns = await dnsLab({ [DOMAIN]: { records, dnssec: 'unsigned' } })
  try {
    tellWhatRuns(messages)
    const postfix = messages / (await drainPostfix(sink, messages))
    tell('Postfix', postfix)
    const surroundings = { dns, sink, ...(profile !== undefined && { profileInto: profile }) }
    const postern = messages / (await drainPostern(surroundings, messages))
    tell('Postern', postern)
    console.log(`ratio     ${(postern / postfix).toFixed(3)}`)
  } finally {
    sink.stop()
    await dns.stop()
  }
}

function tellWhatRuns(messages: number): void {
  const [processor] = cpus()
  const lines = [
    `${messages} messages to one domain, one recipient each, at most 20 sessions at a time, no TLS, no DKIM;`,
    `${cpus().length} cores (${processor?.model ?? 'unknown'}), which all that runs shares.`,
    'Postfix: its queue on this file system, a relayhost by address, no DNS.',
    'Postern: stand-ins of DynamoDB and SQS in place of AWS, on the same cores; MX, addresses and the absence of',
    'TLSA records and MTA-STS policies are looked up for each message.',
  ]
  console.log(`${lines.join('\n')}\n`)
}

function tell(name: string, perSecond: number): void {
  console.log(`${name}   ${perSecond.toFixed(1)} messages/s, from the first to the last at the sink`)
}

function readCount(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text) || text === '1') {
    throw new InvalidArgumentError('A count is a whole number from 2.')
  }
  return Number(text)
}
