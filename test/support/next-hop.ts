import { type ScriptedServer, scriptedServer } from '../adapters/net/scripted-server.ts'

/** What an SMTP server does about the messages that come to it. */
export interface NextHop extends Pick<ScriptedServer, 'port'> {
  /** How often it was asked for that recipient. */
  asked(recipient: string): number
  /** The messages that it was given for that recipient, alone or with others. */
  contents(recipient: string): readonly string[]
  /** Refuses that recipient the next time, for now. */
  refuseOnce(recipient: string): void
  /** Takes nothing at all for now, or takes it again. */
  close(isClosed: boolean): void
}

type Identity = NonNullable<Parameters<typeof scriptedServer>[1]['identity']>

/**
 * A server that fails recipients by their local parts as SES does in tests: `…+550`, `…+451`. The others get in. It
 * answers nothing at once (RFC 2920), so that no data follow a refusal.
 */
export async function nextHop(
  context: { after(end: () => void): void },
  identity?: Identity,
): Promise<NextHop> {
  const refusedOnce = new Set<string>()
  let isClosed = false
  const server = await scriptedServer(context, {
    extensions: ['8BITMIME', 'SMTPUTF8', 'SIZE', ...(identity ? ['REQUIRETLS'] : [])],
    ...(identity && { identity }),
    reply(command) {
      if (command === 'STARTTLS' && !identity) return '502 5.5.1 not here'
      if (isClosed && command.startsWith('MAIL FROM:')) return '421 4.7.0 not now'
      const recipient = recipientIn(command)
      if (recipient === undefined) return undefined
      if (refusedOnce.delete(recipient)) return '451 4.0.0 not yet'
      return refusalOf(recipient)
    },
  })
  return {
    port: server.port,
    asked: (recipient) => server.commands.filter((each) => recipientIn(each) === recipient).length,
    contents: (recipient) => contentsIn(server.commands, recipient),
    refuseOnce: (recipient) => void refusedOnce.add(recipient),
    close(closed) {
      isClosed = closed
    },
  }
}

function recipientIn(command: string): string | undefined {
  return /^RCPT TO:<([^>]*)>/.exec(command)?.[1]
}

function refusalOf(recipient: string): string | undefined {
  const [, code = ''] = /\+([45]\d\d)@/.exec(recipient) ?? []
  if (code === '') return undefined
  return `${code} ${code[0]}.${code === '550' ? '1.1' : '0.0'} simulated failure`
}

/** Of several at the same time the sessions would be mixed up: one transaction after the other. */
function contentsIn(commands: readonly string[], recipient: string): readonly string[] {
  const isGiven = (_: string, place: number) => {
    if (commands[place - 1] !== 'DATA') return false
    const begin = commands.findLastIndex((each, at) => at < place && each.startsWith('MAIL FROM:'))
    return commands.slice(begin, place).some((each) => recipientIn(each) === recipient)
  }
  return commands.filter(isGiven).map(withoutTransparency)
}

/** RFC 5321 §4.5.2. */
function withoutTransparency(data: string): string {
  return data.replace(/\.$/, '').replaceAll('\r\n.', '\r\n')
}
