import { setImmediate as othersTurn } from 'node:timers/promises'
import { type CommandLine, LONGEST_LINE } from '../../smtp/command-line.ts'
import type { Reply } from '../../smtp/reply.ts'
import type { ServerConnection } from './smtp-connection.ts'
import { auth, ehlo, helo, startTls } from './smtp-greeting-commands.ts'
import { bdat, data, mail, rcpt, rset } from './smtp-mail-commands.ts'
import { type SessionContext, SmtpSession } from './smtp-session.ts'

interface Command {
  /** RFC 5321 §4.1.1: an argument where none belongs is an error. */
  readonly argument: 'none' | 'needed' | 'any'
  /** Undefined when it has replied, or nobody is left to reply to. */
  run(session: SmtpSession, argument: string): Promise<Reply | undefined>
}

/** After so many commands of a client it is the others' turn: one packet may hold thousands. */
const COMMANDS_A_TURN = 50

const SHUTTING_DOWN: Reply = { code: 421, enhancedCode: '4.3.2', text: 'shutting down, come again' }
const EARLY: Reply = { code: 554, enhancedCode: '5.5.1', text: 'wait for the greeting', isLast: true }
const UNKNOWN: Reply = { code: 500, enhancedCode: '5.5.2', text: 'unknown command' }
const NO_ARGUMENT: Reply = { code: 501, enhancedCode: '5.5.4', text: 'this command has no argument' }
const ARGUMENT: Reply = { code: 501, enhancedCode: '5.5.4', text: 'this command needs an argument' }
const TRY_LATER: Reply = { code: 451, enhancedCode: '4.3.0', text: 'temporary failure, try again later' }

/** Serves one client, from the greeting to the end. */
export async function serveClient(connection: ServerConnection, context: SessionContext): Promise<void> {
  const session = new SmtpSession(connection, context)
  try {
    await connection.pause(context.limits.greetingDelayMs)
    // A server that does not wait for its turn reads no replies (RFC 5321 §4.3.1). Mail programs may be forgiven.
    const isEarly = connection.hasUnread && !session.isSubmission
    const greeting = { code: 220, text: `${context.hostname} ESMTP Postern (${connection.id})` }
    if (!session.reply(isEarly ? EARLY : greeting)) return
    for (let count = 1; await serveCommand(session, count === 1); count++) {
      if (count % COMMANDS_A_TURN === 0) await othersTurn()
    }
  } finally {
    session.endTransaction()
  }
}

/** Tells a client that has said nothing yet, or nothing that would be lost, to come again. */
export function dismiss(connection: ServerConnection): void {
  connection.reply({ ...SHUTTING_DOWN, text: `${SHUTTING_DOWN.text} (${connection.id})` })
}

/** Whether another command may follow. */
async function serveCommand(session: SmtpSession, isFirst: boolean): Promise<boolean> {
  const { connection, context } = session
  if (context.isClosing()) return session.reply(SHUTTING_DOWN)
  const line = await connection.line(LONGEST_LINE)
  if (!line) return false
  const [verb, argument, command] = readCommand(line)
  if ('refusal' in line) return session.reply({ ...line.refusal, isLast: line.isLast })
  // Whoever begins with something else speaks another protocol: HTTP, or that of an attacker behind a browser.
  if (!command) return session.reply({ ...UNKNOWN, isLast: isFirst }, true)
  if (argument !== '' && command.argument === 'none') return session.reply(NO_ARGUMENT)
  if (argument === '' && command.argument === 'needed') return session.reply(ARGUMENT)
  const reply = await command.run(session, argument).catch((error: unknown) => {
    const about = { sessionId: connection.id, ipAddress: connection.remoteAddress, command: verb }
    context.log.error('smtp command failed', error, about)
    return TRY_LATER
  })
  return reply ? session.reply(reply) : !connection.clientGone.aborted
}

function readCommand(
  line: CommandLine,
): readonly [verb: string, argument: string, command: Command | undefined] {
  const text = 'text' in line ? line.text : ''
  const [word = ''] = text.split(' ', 1)
  const verb = word.toUpperCase()
  return [verb, text.slice(word.length).trim(), COMMANDS.get(verb)]
}

const simple =
  (reply: Reply): Command['run'] =>
  async () =>
    reply

const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  ['EHLO', { argument: 'any', run: ehlo }],
  ['HELO', { argument: 'any', run: helo }],
  ['STARTTLS', { argument: 'none', run: startTls }],
  ['AUTH', { argument: 'any', run: auth }],
  ['MAIL', { argument: 'any', run: mail }],
  ['RCPT', { argument: 'any', run: rcpt }],
  ['DATA', { argument: 'none', run: data }],
  ['BDAT', { argument: 'any', run: bdat }],
  ['RSET', { argument: 'none', run: rset }],
  ['NOOP', { argument: 'any', run: simple({ code: 250, enhancedCode: '2.0.0', text: 'done' }) }],
  [
    'HELP',
    {
      argument: 'any',
      run: async () => ({
        code: 214,
        enhancedCode: '2.0.0',
        text: `commands: ${[...COMMANDS.keys()].join(' ')}`,
      }),
    },
  ],
  // RFC 5321 §3.5.3, §7.3: who has a mailbox here is nobody's business.
  [
    'VRFY',
    {
      argument: 'needed',
      run: simple({ code: 252, enhancedCode: '2.5.0', text: 'send it and you will see' }),
    },
  ],
  [
    'EXPN',
    { argument: 'needed', run: simple({ code: 502, enhancedCode: '5.5.1', text: 'lists are not expanded' }) },
  ],
  [
    'QUIT',
    { argument: 'none', run: simple({ code: 221, enhancedCode: '2.0.0', text: 'good bye', isLast: true }) },
  ],
])
