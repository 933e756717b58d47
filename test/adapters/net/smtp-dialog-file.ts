import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import type { SmtpService } from '../../../shared/adapters/net/smtp-service.ts'
import { formatAddress } from '../../../shared/address/address.ts'
import { type Listening, listening, testTls } from './smtp-listening.ts'

/** How a client's octets come. */
export type Pace = 'line by line' | 'octet by octet'

interface Dialog {
  readonly title: string
  readonly settings: Readonly<Record<string, string>>
  /** `C`, `C>`, `S`, `M`, `TLS` or `WAIT`, and what follows it, for each line. */
  readonly steps: readonly (readonly [verb: string, text: string, line: number])[]
}

interface Client {
  socket: Socket
  lines: AsyncIterator<string>
}

const KINDS: readonly SmtpService['kind'][] = ['smtp', 'submission', 'submissions']

/**
 * Reads dialogs, each begun by `== title`:
 * `@ name value` a setting of the listener or, with `pace`, the only pace that makes sense; `C: line` the client says a line, `C> text` octets without line end;
 * `S: line` the server's next line, in which `*` stands for anything; `S: <closed>` it has hung up;
 * `M: from -> to, to: content` the next message that was accepted; `TLS` the handshake; `WAIT 20` milliseconds.
 * In what the client says `\r`, `\n`, `\t`, `\\` and `\x00` are octets, and `{x*70000}` is a run of them.
 */
export function readDialog(text: string): readonly Dialog[] {
  const dialogs: { title: string; settings: Record<string, string>; steps: [string, string, number][] }[] = []
  for (const [at, line] of text.split('\n').entries()) {
    const title = /^== (.+)$/.exec(line)?.[1]
    if (title !== undefined) dialogs.push({ title, settings: {}, steps: [] })
    const [, name = '', value] = /^@ (\S+) ?(.*)$/.exec(line) ?? []
    const [, verb, said = ''] = /^(C:|C>|S:|M:|TLS|WAIT) ?(.*)$/.exec(line) ?? []
    if (value !== undefined) (dialogs.at(-1)?.settings as Record<string, string>)[name] = value
    else if (verb !== undefined) dialogs.at(-1)?.steps.push([verb, said, at + 1])
    else if (title === undefined && !/^(#.*)?$/.test(line)) throw new Error(`line ${at + 1}: ${line}`)
  }
  return dialogs
}

/** Plays the client, and compares what the server says and takes. */
export async function playDialog(t: TestContext, dialog: Dialog, pace: Pace): Promise<void> {
  const server = await listening(t, optionsOf(dialog.settings))
  const socket = await open(server.port, dialog.settings.kind === 'submissions')
  const client = { socket, lines: linesOf(socket) }
  t.after(() => void client.socket.destroy())
  if (dialog.settings.talks !== 'first') await compare(client, '220 mx.example ESMTP Postern (*)', 0)
  const accepted = { count: 0 }
  for (const step of dialog.steps) await play(server, client, step, pace, accepted)
  assert.equal(acceptedBy(server).length, accepted.count, 'messages accepted')
  assert.deepEqual(server.errors, dialog.settings.fault ? [dialog.settings.fault] : [])
}

async function play(
  server: Listening,
  client: Client,
  [verb, text, line]: Dialog['steps'][number],
  pace: Pace,
  accepted: { count: number },
): Promise<void> {
  if (verb === 'C:') await write(client.socket, Buffer.concat([octets(text), Buffer.from('\r\n')]), pace)
  else if (verb === 'C>') await write(client.socket, octets(text), pace)
  else if (verb === 'S:') await compare(client, text, line)
  else if (verb === 'WAIT') await sleep(Number(text))
  else if (verb === 'TLS') await secure(client)
  else
    compareMessage(
      acceptedBy(server)[accepted.count++] ?? 'no message',
      octets(text).toString('latin1'),
      line,
    )
}

function optionsOf(settings: Dialog['settings']) {
  const kind = KINDS.find((known) => known === (settings.kind ?? 'smtp'))
  const limits = { ...(settings.idle && { idleMs: Number(settings.idle) }) }
  const timed = { ...limits, ...(settings.content && { contentMs: Number(settings.content) }) }
  const delayed = settings.talks ? { ...timed, greetingDelayMs: 100 } : timed
  return {
    ...(kind && { kind }),
    limits: settings.session ? { ...delayed, sessionMs: Number(settings.session) } : delayed,
    ...(settings.tls && { tls: testTls }),
  }
}

async function open(port: number, isEncrypted: boolean): Promise<Socket> {
  const socket = isEncrypted
    ? connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
    : connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.setNoDelay(true)
  await new Promise<void>((done) => void socket.once(isEncrypted ? 'secureConnect' : 'connect', done))
  return socket
}

async function secure(client: Client): Promise<void> {
  client.socket.removeAllListeners('data')
  const socket = connectTls({ socket: client.socket, rejectUnauthorized: false })
  socket.on('error', () => {})
  await new Promise<void>((done) => void socket.once('secureConnect', done).once('close', () => done()))
  client.socket = socket
  client.lines = linesOf(socket)
}

function linesOf(socket: Socket): AsyncIterator<string> {
  return createInterface({ input: socket })[Symbol.asyncIterator]()
}

async function write(socket: Socket, bytes: Buffer, pace: Pace): Promise<void> {
  // An octet each is for what is short; long runs are about their length.
  if (pace === 'line by line' || bytes.length > 1_000) return void socket.write(bytes)
  for (const octet of bytes) {
    socket.write(Buffer.of(octet))
    await new Promise((done) => setImmediate(done))
  }
}

function compareMessage(taken: string, expected: string, line: number): void {
  if (expected.endsWith(': *')) assert.ok(taken.startsWith(expected.slice(0, -1)), `line ${line}`)
  else assert.equal(taken, expected, `line ${line}`)
}

async function compare(client: Client, expected: string, line: number): Promise<void> {
  const { done, value } = await client.lines.next()
  const said = done ? '<closed>' : value
  const pattern = expected.replace(/[\\^$.+?()[\]{}|]/g, '\\$&').replaceAll('*', '.*')
  assert.match(said, new RegExp(`^${pattern}$`), `line ${line}: expected ${expected}`)
}

function octets(text: string): Buffer {
  const spread = text.replace(/\{(.+?)\*(\d+)\}/g, (_all, piece: string, times) =>
    piece.repeat(Number(times)),
  )
  const bytes = Buffer.from(spread).toString('latin1')
  const plain = bytes.replace(/\\(?:x([0-9a-f]{2})|(.))/g, (_all, code?: string, letter = '') => {
    if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16))
    return { r: '\r', n: '\n', t: '\t' }[letter as string] ?? letter
  })
  return Buffer.from(plain, 'latin1')
}

function acceptedBy({ received, submitted }: Listening): readonly string[] {
  const all = [
    ...received.map(({ mailFrom, recipients, content }) => ({ mailFrom, recipients, content })),
    ...submitted.map(({ submission: { mail, recipients }, content }) => ({
      mailFrom: mail.address,
      recipients,
      content,
    })),
  ]
  return all.map(({ mailFrom, recipients, content }) => {
    const to = recipients.map(({ address }) => formatAddress(address)).join(', ')
    return `${mailFrom ? formatAddress(mailFrom) : '<>'} -> ${to}: ${Buffer.from(content).toString('latin1')}`
  })
}
