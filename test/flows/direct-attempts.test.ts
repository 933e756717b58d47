import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { findFreePort } from '../../infra/local/free-port.ts'
import { eventually } from '../../scripts/eventually.ts'
import { dynamoOptionsStore } from '../../shared/adapters/aws/options-store.ts'
import { MINUTE, SECOND } from '../../shared/base/clock.ts'
import type { RowId } from '../../shared/base/row-id.ts'
import type { QueuedMessage } from '../../shared/queue/queued-message.ts'
import { variables } from '../../shared/runtime/names.ts'
import { scriptedServer } from '../adapters/net/scripted-server.ts'
import { makeCertificate, type TestCertificate } from '../support/certificates.ts'
import { storesOf, type TestPostern, testPostern } from '../support/test-postern.ts'
import { identityOf } from '../support/tls-server.ts'
import { associate } from '../support/tlsa.ts'
import { type WebhookReceiver, webhookReceiver } from '../support/webhook-receiver.ts'
import { zoneServer } from '../support/zone-server.ts'

const ends: (() => unknown)[] = []
const context = { after: (end: () => unknown) => void ends.push(end) }
let postern: TestPostern
let application: WebhookReceiver
let port = 0
let shown: TestCertificate

/** The server's address of loopback, and of no other server in this process. */
const ADDRESS = '127.0.0.40'

before(async () => {
  port = await findFreePort('0.0.0.0')
  const [foreign, own] = [await makeCertificate(), await makeCertificate({ names: ['mx.faulty.example'] })]
  shown = own
  const dns = await zoneServer(context, {
    'faulty.example': { MX: [[10, 'mx.faulty.example']] },
    'mx.faulty.example': { A: [ADDRESS] },
    [`_${port}._tcp.mx.faulty.example`]: { TLSA: [associate(3, 1, 1, foreign)] },
  })
  postern = await testPostern(context, {
    egress: 'nat-gateway',
    environment: {
      sender: {
        [variables.dnsServers]: dns.address,
        [variables.smtpDestinationPort]: String(port),
        [variables.deliverToAnyAddress]: 'true',
        [variables.healthPort]: String(await findFreePort('127.0.0.1')),
      },
    },
  })
  application = await webhookReceiver(context)
  await postern.admin.patch('/accounts/postern', {
    OutgoingWebhook: { URL: application.url, Authorization: '', Events: [] },
  })
  const toDirect = { fromDomains: [], toDomains: ['faulty.example'], minimumAttempts: 0, transport: 'mx' }
  await dynamoOptionsStore(postern.table, postern.local.cloud.clock).change((options) => ({
    ...options,
    transports: { ...options.transports, mx: { kind: 'direct' } },
    routes: [toDirect, ...options.routes],
  }))
  // Beyond what a running program remembers of the options.
  await postern.local.cloud.clock.advance(10 * SECOND)
})
after(async () => {
  for (const end of ends.reverse()) await end()
})

type Script = Parameters<typeof scriptedServer>[1]

const offersTls = ['STARTTLS']
/** What the server does at each attempt, how much later that is, and what the attempt comes to; undefined is not there. */
const faults = (): readonly (readonly [script: Script | undefined, minutes: number, error: RegExp])[] => [
  [undefined, 0, /connection refused/],
  [{ reply: () => null }, 8, /connection closed/],
  [{ greeting: '451 4.3.2 later' }, 16, /451 4\.3\.2 later/],
  [{ identity: identityOf([shown]) }, 32, /DANE does not vouch for mx\.faulty\.example/],
  [{ reply: atStartTls('502 5.5.1 what?') }, 64, /502 5\.5\.1 what/],
  [{ extensions: offersTls, reply: atStartTls('454 4.7.0 not now') }, 128, /454 4\.7\.0 not now/],
  [{ extensions: offersTls, reply: atStartTls('554 5.7.0 never') }, 256, /554 5\.7\.0 never/],
  [{ extensions: offersTls, reply: atStartTls(null) }, 512, /connection closed/],
]

function atStartTls(reply: string | null): NonNullable<Script['reply']> {
  return (command) => (command === 'STARTTLS' ? reply : undefined)
}

async function readRow(id: RowId): Promise<QueuedMessage> {
  const row = await storesOf(postern.table).queue.read('postern', id)
  return row ?? assert.fail(`no row ${id}`)
}

function eventsOf(id: RowId): readonly unknown[] {
  return application.calls.flatMap(({ json }) => (json.QueueMsgID === id ? [json.Event] : []))
}

/** Until that attempt has an outcome that the application knows. */
async function attempted(id: RowId, count: number): Promise<void> {
  await eventually(`attempt ${count}`, async () => {
    const { state, attempts } = await readRow(id)
    return state !== 'attempting' && attempts >= count && eventsOf(id).length >= count
  })
  assert.equal((await readRow(id)).attempts, count)
}

test('AT-40: eight attempts fail, each in a way of its own; after the fifth and the eighth there is a notice, and nothing is said in the clear', async (t) => {
  const sent = await postern.call('Send', {
    To: [{ Address: 'ann@faulty.example' }],
    Subject: 'x',
    Text: 'x',
  })
  const [submission] = sent.json.Submissions as { QueueMsgID: RowId }[]
  const id = submission?.QueueMsgID ?? assert.fail(JSON.stringify(sent.json))
  const commands: string[] = []
  const servers: (() => void)[] = []
  const endServers = () => {
    for (const end of servers.splice(0)) end()
  }
  t.after(endServers)
  for (const [place, [script, minutes, error]] of faults().entries()) {
    const server =
      script &&
      (await scriptedServer({ after: (end) => servers.push(end) }, { ...script, port, ipAddress: ADDRESS }))
    if (minutes > 0) await postern.local.cloud.clock.advance(minutes * MINUTE)
    await attempted(id, place + 1)
    const { results } = await readRow(id)
    assert.match(results[place]?.error ?? '', error, `attempt ${place + 1}`)
    commands.push(...(server?.commands ?? []))
    endServers()
    assert.deepEqual(
      await noticesUpTo(place + 1),
      expectedNotices(place + 1),
      `notices after attempt ${place + 1}`,
    )
  }
  const { state, results, retired } = await readRow(id)
  assert.deepEqual(
    [state, retired?.success, results.map(({ status }) => status)],
    ['done', false, Array(8).fill('temporary')],
  )
  assert.deepEqual(eventsOf(id), [...Array(7).fill('delayed'), 'failed'])
  assert.deepEqual(
    commands.filter((command) => command.startsWith('MAIL')),
    [],
  )
})

function expectedNotices(attempts: number): readonly string[] {
  return [
    ...(attempts >= 5 ? ['mail delivery delayed'] : []),
    ...(attempts >= 8 ? ['mail delivery failed'] : []),
  ]
}

/** Their subjects, once there are as many as there must be. */
async function noticesUpTo(attempts: number): Promise<readonly string[]> {
  return await eventually('the notices', async () => {
    const mails = await postern.admin.get<{ readonly Subject: string }[]>('/mail')
    return mails.length >= expectedNotices(attempts).length && mails.map(({ Subject }) => Subject).toSorted()
  })
}
