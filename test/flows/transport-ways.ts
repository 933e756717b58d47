import { randomUUID } from 'node:crypto'
import { findFreePort } from '../../infra/local/free-port.ts'
import { eventually } from '../../scripts/eventually.ts'
import { HOUR, MINUTE, SECOND } from '../../shared/base/clock.ts'
import { variables } from '../../shared/runtime/names.ts'
import { makeCertificate } from '../support/certificates.ts'
import { deliverRaw } from '../support/deliver-raw.ts'
import { type NextHop, nextHop } from '../support/next-hop.ts'
import { sesEventText } from '../support/ses-events.ts'
import { type TestPostern, testPostern } from '../support/test-postern.ts'
import { identityOf } from '../support/tls-server.ts'
import { associate } from '../support/tlsa.ts'
import { zoneServer } from '../support/zone-server.ts'

export const wayNames = ['relay', 'direct', 'ses'] as const
export type WayName = (typeof wayNames)[number]

/** A sent message, of one recipient. */
export interface Sent {
  /** 0 where Send has refused it. */
  readonly id: number
  readonly fromId: string
  readonly messageId: string
  readonly recipient: string
  /** The code with which Send has refused it. */
  readonly refused?: string
}

/** A way for mail to leave, and what those at its other end can do. */
export interface Way {
  readonly name: WayName
  /** Whose mail takes it. */
  readonly domain: string
  /** How often the next hop was asked to take mail for that recipient. */
  asked(recipient: string): number
  /** The messages that it was given for that recipient. */
  contents(recipient: string): readonly string[]
  /** Sends what the next hop does not take at first, though it does later. */
  putOff(recipient: string, send: () => Promise<Sent>): Promise<Sent>
  /** It takes what it had put off. */
  take(message: Sent): Promise<void>
  /** After so many attempts it does not take it again, and where it tries by itself, it gives up. */
  refuseAgain(message: Sent, attempts: number): Promise<void>
  /** What it had taken comes back: there is no such mailbox. */
  bounce(message: Sent): Promise<void>
  complain(message: Sent): Promise<void>
  /** Takes nothing at all for now, or takes it again. */
  close(isClosed: boolean): void
  /** Tells nothing of what it takes, where it would tell. */
  keepSilent(isSilent: boolean): void
}

/** A running Postern whose mail leaves by three ways, after the domain that it is for. */
export interface Ways {
  readonly postern: TestPostern
  readonly all: readonly Way[]
  /** A relay that no route leads to; the transport `elsewhere`. */
  readonly elsewhere: NextHop
}

/** Whose mail SES sends, and whose it does not send before the domain is verified. */
export const authors = { verified: 'shop@sender.test', unverified: 'shop@unverified.test' } as const

/** Boots it, and stops it with the test. */
export async function openWays(context: { after(end: () => unknown): void }): Promise<Ways> {
  const certificate = await makeCertificate({ names: ['mx.direct.test'] })
  const [relay, mx, elsewhere] = [
    await nextHop(context),
    await nextHop(context, identityOf([certificate])),
    await nextHop(context),
  ]
  const mxOfDomain = { MX: [[10, 'mx.direct.test'] as const] }
  const dns = await zoneServer(context, {
    'direct.test': mxOfDomain,
    'then.relay.test': mxOfDomain,
    'then.direct.test': mxOfDomain,
    'mx.direct.test': { A: ['127.0.0.1'] },
    [`_${mx.port}._tcp.mx.direct.test`]: { TLSA: [associate(3, 1, 1, certificate)] },
  })
  const postern = await testPostern(context, {
    egress: 'nat-gateway',
    // EventBridge delivers at least once.
    ses: { eventsDoubled: 1 },
    environment: {
      sender: {
        [variables.dnsServers]: dns.address,
        [variables.smtpDestinationPort]: String(mx.port),
        [variables.deliverToAnyAddress]: 'true',
        [variables.healthPort]: String(await findFreePort('127.0.0.1')),
      },
    },
  })
  await setUpRoutes(postern, { relay, elsewhere })
  const all = [smtpWay('relay', relay, postern), smtpWay('direct', mx, postern), sesWay(postern)]
  return { postern, all, elsewhere }
}

async function setUpRoutes(
  { admin, local }: TestPostern,
  relays: Readonly<Record<'relay' | 'elsewhere', NextHop>>,
): Promise<void> {
  for (const [name, { port: Port }] of Object.entries(relays)) {
    await admin.put(`/transports/${name}`, { Kind: 'smtp', Host: '127.0.0.1', Port, TLS: 'none' })
  }
  await admin.put('/transports/direct', { Kind: 'direct' })
  await admin.put('/transports/ses', { Kind: 'ses' })
  const next = { relay: 'direct', direct: 'ses', ses: 'relay' } as const
  const routes = wayNames.flatMap((way) => [
    { ToDomain: [`then.${way}.test`], MinimumAttempts: 1, Transport: next[way] },
    { ToDomain: [`.${way}.test`], Transport: way },
  ])
  await admin.put('/routes', routes)
  for (const domain of ['sender.test', 'unverified.test']) {
    local.cloud.ses.set({ verifiesDomains: domain !== 'unverified.test' })
    await admin.put(`/domains/${domain}`, { LocalpartCatchallSeparators: ['+'] })
    await admin.put(`/addresses/shop@${domain}`, { Account: 'postern' })
  }
  await admin.post('/domains/sender.test/dkim', { Selector: 's1' })
}

/** Another server, to which we speak SMTP; it tells later by mails to where the message came from. */
function smtpWay(
  name: 'relay' | 'direct',
  server: NextHop,
  { local, smtpPort }: Pick<TestPostern, 'local' | 'smtpPort'>,
): Way {
  const tell = async ({ fromId, messageId }: Sent, fields: readonly string[], body: readonly string[]) => {
    const message = [`References: ${messageId}`, 'MIME-Version: 1.0', ...fields, '', ...body, '']
    await deliverRaw(smtpPort, '', `shop+${fromId}@sender.test`, message.join('\r\n'))
  }
  return {
    name,
    domain: `${name}.test`,
    asked: server.asked,
    contents: server.contents,
    async putOff(recipient, send) {
      server.refuseOnce(recipient)
      return await send()
    },
    async take() {
      await local.cloud.clock.advance(8 * MINUTE)
    },
    async refuseAgain(_message, attempts) {
      await local.cloud.clock.advance(9 * MINUTE * 2 ** (attempts - 1))
    },
    bounce: (message) => tell(message, ...mailOf('delivery-status', statusOf(message.recipient))),
    complain: (message) => tell(message, ...mailOf('feedback-report', COMPLAINT)),
    close: server.close,
    keepSilent: () => {},
  }
}

/** A report of two parts (RFC 6522): its header fields and its body. */
function mailOf(type: string, report: readonly string[]): [readonly string[], readonly string[]] {
  const fields = [
    'From: MAILER-DAEMON@remote.test',
    'Subject: About your mail',
    `Content-Type: multipart/report; report-type=${type}; boundary=b`,
  ]
  return [fields, ['--b', '', 'See below.', '--b', `Content-Type: message/${type}`, '', ...report, '--b--']]
}

/** RFC 3464. */
function statusOf(recipient: string): readonly string[] {
  return [
    'Reporting-MTA: dns; mx.remote.test',
    '',
    `Final-Recipient: rfc822; ${recipient}`,
    'Action: failed',
    'Status: 5.1.1',
    'Diagnostic-Code: smtp; 550 5.1.1 no such user',
    '',
  ]
}

/** RFC 5965. */
const COMPLAINT = ['Feedback-Type: abuse', 'User-Agent: Remote/1', 'Version: 1', '']

/** SES, which tells later by events. */
function sesWay({ local: { cloud }, admin }: Pick<TestPostern, 'local' | 'admin'>): Way {
  const { ses } = cloud
  const toldOf = (recipient: string) => ses.accepted().filter((mail) => mail.destination.includes(recipient))
  const stateOf = async ({ id }: Sent) =>
    (await admin.get<{ readonly State?: string }>(`/queue/postern/${id}`)).State
  const tell = async ({ id }: Sent, type: string, told: object) => {
    const mail = ses.accepted().find(({ tags }) => tags.id === String(id))
    if (!mail) throw new Error(`SES has no message ${id}`)
    const body = sesEventText(type, mail.tags, told, randomUUID())
    const Records = ['1', '2'].map((messageId) => ({ messageId, body }))
    await cloud.invoke('WorkersSesEventsHandler', { Records })
  }
  return {
    name: 'ses',
    domain: 'ses.test',
    asked: (recipient) => toldOf(recipient).length,
    contents: (recipient) => toldOf(recipient).map(({ raw }) => raw.toString()),
    async putOff(recipient, send) {
      ses.set({ eventsLost: 1 })
      const message = await send()
      await eventually('SES has it', async () => (await stateOf(message)) === 'handed')
      ses.set({ eventsLost: 0 })
      const diagnosticCode = 'smtp; 451 4.0.0 not yet'
      const delayedRecipients = [{ emailAddress: recipient, status: '4.0.0', diagnosticCode }]
      await tell(message, 'DeliveryDelay', {
        deliveryDelay: { delayType: 'SpamDetected', delayedRecipients },
      })
      return message
    },
    take: (message) => tell(message, 'Delivery', { delivery: { smtpResponse: '250 2.0.0 ok' } }),
    refuseAgain: (message) => tell(message, 'Bounce', bounceOf(message, 'Transient', '4.0.0', '451')),
    bounce: (message) => tell(message, 'Bounce', bounceOf(message, 'Permanent', '5.1.1', '550')),
    complain: (message) => tell(message, 'Complaint', { complaint: { complaintFeedbackType: 'abuse' } }),
    close: (isClosed) => ses.set({ account: isClosed ? 'paused' : 'healthy' }),
    keepSilent: (isSilent) => ses.set({ eventsLost: isSilent ? 1 : 0 }),
  }
}

function bounceOf({ recipient }: Sent, bounceType: string, status: string, code: string): object {
  const diagnosticCode = `smtp; ${code} ${status} not taken`
  const bouncedRecipients = [{ emailAddress: recipient, status, diagnosticCode }]
  return { bounce: { bounceType, bounceSubType: 'General', bouncedRecipients } }
}

/** Beyond what a running program remembers of the options. */
export const OPTIONS_KNOWN = 10 * SECOND
/** Until a next hop that tells nothing has had its time. */
export const UNHEARD = 27 * HOUR
