import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import { posternCommand } from '../../scripts/cli/program.ts'
import { eventually } from '../../scripts/eventually.ts'
import { localSeed } from '../../scripts/local-postern.ts'
import type { QueuedCallJson } from '../../shared/admin/call-json.ts'
import type { HoldRuleJson } from '../../shared/admin/hold-rules.ts'
import type { OperationJson } from '../../shared/admin/operations.ts'
import type { ReportJson } from '../../shared/admin/reports.ts'
import { formatTlsa } from '../../shared/dane/tlsa.ts'
import { scriptedServer } from '../adapters/net/scripted-server.ts'
import { runPostern } from '../cli/admin-server.ts'
import { makeCertificate } from '../support/certificates.ts'
import { deliverRaw } from '../support/deliver-raw.ts'
import { keyRecord, signDkim } from '../support/dkim-signer.ts'
import { dnsServer } from '../support/dns-server.ts'
import { policyHost } from '../support/policy-host.ts'
import { dmarcXml, reportMail } from '../support/report-mails.ts'
import { type TestPostern, testPostern } from '../support/test-postern.ts'
import { identityOf, tlsServer } from '../support/tls-server.ts'
import { associate } from '../support/tlsa.ts'
import { webhookReceiver } from '../support/webhook-receiver.ts'
import { zoneServer } from '../support/zone-server.ts'

let postern: TestPostern
const directory = mkdtempSync(join(tmpdir(), 'postern-commands-'))
const ends: (() => unknown)[] = [() => rmSync(directory, { recursive: true, force: true })]
const context = { after: (end: () => unknown) => void ends.push(end) }

before(async () => {
  postern = await testPostern(context, { faults: 'none' })
  const application = await webhookReceiver(context, 500)
  await postern.admin.patch('/accounts/postern', { OutgoingWebhook: { URL: application.url } })
})
after(async () => {
  for (const end of ends.reverse()) await end()
})

const ran = new Set<string>()

/** Runs a command, named by its words, with these further arguments; it must succeed. Answers what it printed. */
async function run(command: string, ...args: readonly string[]): Promise<string> {
  return await runIn({}, command, ...args)
}

/** The same with these variables in the environment. */
async function runIn(
  variables: Readonly<Record<string, string>>,
  command: string,
  ...args: readonly string[]
): Promise<string> {
  ran.add(command)
  const environment = {
    ...variables,
    POSTERN_URL: postern.local.cloud.apiUrl,
    POSTERN_ADMIN_PASSWORD: localSeed.adminPassword,
  }
  const { status, stdout, stderr } = await runPostern([...command.split(' '), ...args], environment)
  assert.equal(status, 0, `postern ${command} ${args.join(' ')}: ${stderr}`)
  return stdout
}

async function json<Answer>(command: string, ...args: readonly string[]): Promise<Answer> {
  return JSON.parse(await run(command, ...args, '--json')) as Answer
}

async function send(address: string): Promise<string> {
  const { json: answer } = await postern.call('Send', { To: [{ Address: address }], Subject: 'x', Text: 'x' })
  const [submission] = answer.Submissions as { QueueMsgID: number }[]
  return `postern/${submission?.QueueMsgID}`
}

test('AT-66: the commands for settings run against a live server', async () => {
  await run(
    'setup',
    '--domain',
    'every.test',
    '--hostname',
    'localhost',
    '--account',
    'every',
    ...[
      ...['--address', 'every@every.test', '--password', 'a long password'],
      ...['--admin-password', localSeed.adminPassword],
    ],
  )
  await run('time', '+1m')
  await run('domain add', 'bücher.test')
  await run('domain update', 'bücher.test', '--disabled')
  assert.match(await run('domain list'), /bücher\.test/)
  assert.match(await run('domain show', 'bücher.test'), /disabled/)
  await run('domain update', 'every.test', '--dmarc-report-address', 'every@every.test')
  assert.match(await run('domain show', 'every.test'), /^DMARC reports: +every@every\.test$/m)
  assert.match(
    await run('domain ses', 'bücher.test'),
    /^ses-mail\.xn--bcher-kva\.test\. MX 10 feedback-smtp\./m,
  )
  await run('dkim add', 'bücher.test', '--selector', 'one', '--no-sign')
  await run('dkim update', 'bücher.test', 'one', '--sign')
  assert.match(await run('dkim list', 'bücher.test'), /one\._domainkey\.xn--bcher-kva\.test\. TXT/)
  await run('dkim remove', 'bücher.test', 'one')
  await run('account add', 'second', '--address', 'second@every.test')
  await run('account update', 'second', '--full-name', 'The Second')
  await run('account password', 'second', '--password', 'another password')
  await run('account webhook-secret', 'second', 'outgoing', '--rotate')
  assert.match(await run('account list'), /The Second/)
  assert.match(await run('account show', 'second'), /second@every\.test/)
  await run('address add', 'third@every.test', 'second')
  await run('address update', 'third@every.test', 'every')
  assert.match(await run('address show', 'third@every.test'), /account every/)
  assert.match(await run('address list'), /third@every\.test/)
  await run('address remove', 'third@every.test')
  await run('account remove', 'second')
  await run('domain remove', 'bücher.test')
  await run('transport set', 'spare', '--kind', 'submission', '--host', 'smtp.example')
  await run('transport set', 'unused', '--kind', 'direct')
  assert.match(await run('transport list'), /spare/)
  assert.match(await run('transport show', 'spare'), /^Host: +smtp\.example$/m)
  await run('transport remove', 'unused')
  await run('route set', 'spare,to=spare.test', 'local')
  assert.match(await run('route list'), /spare\.test/)
  await run('route add', 'spare', '--account', 'every', '--attempts', '3')
  assert.equal(await run('route remove', '1', '--account', 'every'), '(none)\n')
})

test('AT-66: the commands for suppressions and mail run against a live server', async () => {
  await run('suppress add', 'never@again.test', '--account', 'every')
  const list = join(directory, 'list.csv')
  writeFileSync(list, 'email\nnor@me.test\n')
  await run('suppress import', list, '--account', 'every')
  assert.match(await run('suppress list'), /nor@me\.test/)
  assert.match(await run('suppress lookup', 'nor@me.test'), /every/)
  assert.match(await run('suppress export'), /never@again\.test/)
  await run('suppress remove', 'nor@me.test', '--account', 'every')
  await send('someone@delivered.test')
  await eventually('a mail', async () => (await json<unknown[]>('mail list')).length > 0)
})

test('AT-66: the commands for messages, hold rules and operations run against a live server', async () => {
  const rule = await json<HoldRuleJson>('holdrules add', '--recipient', 'bücher.example')
  await postern.local.cloud.clock.advance(6_000)
  const [first, second, third] = [
    await send('a@bücher.example'),
    await send('b@bücher.example'),
    await send('c@bücher.example'),
  ]
  assert.match(await run('holdrules list'), /bücher\.example/)
  assert.match(await run('queue list', '--hold', 'true'), new RegExp(`${first} .*hold rule ${rule.ID}`))
  await run('queue schedule', '2h', '--ids', first)
  await run('queue postpone', '-30m', '--ids', first)
  await run('queue transport', 'spare', '--ids', first)
  await run('queue requiretls', 'no', '--ids', first)
  await run('queue release', '--ids', first)
  const held = await json<OperationJson>('queue hold', '--ids', first)
  assert.equal(held.Changed, 1)
  assert.match(await run('queue print', first), /^Transport: +spare$/m)
  const output = join(directory, 'message.eml')
  await run('queue dump', first, '--output', output)
  assert.match(readFileSync(output, 'utf8'), /^Subject: x\r$/m)
  await run('queue fail', '--ids', second, '--yes')
  await run('queue drop', '--ids', third, '--yes')
  assert.match(await run('queue retired list'), new RegExp(second))
  assert.match(await run('queue retired print', third), /dropped by an operator/)
  await run('holdrules remove', String(rule.ID))
  assert.match(await run('operation list'), new RegExp(String(held.ID)))
  assert.match(await run('operation show', String(held.ID)), /1 message held/)
  assert.match(await run('operation cancel', String(held.ID)), /is done already/)
})

test('AT-66: the commands for webhook calls run against a live server', async () => {
  const [call] = await eventually('a call that failed', async () => {
    const calls = await json<QueuedCallJson[]>('webhook list', '--event', 'delivered')
    return calls.some(({ Attempts, Results }) => Attempts === 1 && Results[0]?.Code === 500) && calls
  })
  const id = `postern/${call?.ID}`
  await run('webhook schedule', '2h', '--ids', id)
  await run('webhook postpone', '-1h', '--ids', id)
  await run('webhook release', '--ids', id)
  assert.match(await run('webhook print', id), /^2026.* 500 +/m)
  await run('webhook cancel', '--ids', id, '--yes')
  assert.match(await run('webhook retired list'), new RegExp(id))
  assert.match(await run('webhook retired print', id), /canceled by an operator/)
  const spare = await webhookReceiver(context)
  assert.match(await run('webhook test', 'postern', 'outgoing', '--webhook-url', spare.url), /^success: /)
  assert.match(await run('webhook replay', '--ids', id), /^1 webhook call replayed$/m)
})

test('AT-66: the commands for reports run against a live server', async () => {
  // The listener may work with options that are five seconds old.
  await sleep(5_000)
  const { header, body } = reportMail('a@remote.test', [['text/xml', dmarcXml({ domain: 'every.test' })]])
  await deliverRaw(postern.smtpPort, 'a@remote.test', 'every@every.test', `${header}\r\n${body}`)
  const [report] = await json<ReportJson[]>('report list', 'dmarc', '--since', '10000d')
  assert.match(await run('report list', 'dmarc', '--domain', 'every.test'), /remote\.test +7 +2$/m)
  assert.match(
    await run('report show', String(report?.ID)),
    /^192\.0\.2\.9 +7 +none +pass +fail +y\.example /m,
  )
})

test('AT-66: the command for TLS results runs against a live server', async () => {
  assert.equal(await run('tlsresult list'), '(none)\n')
})

test('AT-66: the commands that ask the DNS run without a server', async () => {
  const data = { preference: 10, exchange: 'mx.example' }
  const answers = [{ name: 'every.example', type: 'MX', data } as const]
  const { address } = await dnsServer(context, () => ({ answers }))
  const text = await run('dns lookup', 'mx', 'every.example', '--server', address)
  assert.equal(text, '1 MX record of every.example, without dnssec\n  10 mx.example\n')
  const record = [{ name: 'every.example', type: 'TXT', data: 'v=spf1 +all' } as const]
  const spf = await dnsServer(context, () => ({ answers: record }))
  assert.match(
    await run('spf check', 'every.example', '192.0.2.1', '--server', spf.address),
    /^result: +pass$/m,
  )
})

test('AT-66: the commands about DANE and SMTP run without a server', async () => {
  const certificate = await makeCertificate({ names: ['mx.every.example'] })
  const file = join(directory, 'mx.pem')
  writeFileSync(file, certificate.pem)
  const record = await run('dane makerecord', '3', '1', '1', file)
  assert.equal(record, `${formatTlsa(associate(3, 1, 1, certificate))}\n`)
  const { port } = await tlsServer(context, [certificate])
  const mail = await scriptedServer(context, { identity: identityOf([certificate]) })
  const { address: server } = await zoneServer(context, {
    'every.example': { MX: [[10, 'mx.every.example']] },
    'mx.every.example': { A: ['127.0.0.1'] },
    [`_${port}._tcp.mx.every.example`]: { TLSA: [associate(3, 1, 1, certificate)] },
    [`_${mail.port}._tcp.mx.every.example`]: { TLSA: [associate(3, 1, 1, certificate)] },
  })
  await run('dane dial', `mx.every.example:${port}`, '--server', server)
  await run('dane dialmx', 'every.example', '--port', `${mail.port}`, '--server', server)
  const text = await run('smtp dial', `mx.every.example:${mail.port}`, '--server', server)
  assert.match(text, /^TLS: +TLSv1\.3, /m)
})

test('AT-66: the commands that check what a domain publishes run without a server', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const { address } = await zoneServer(context, {
    'every.example': { MX: [[10, 'mx.every.example']] },
    '_dmarc.every.example': { TXT: ['v=DMARC1; p=reject'] },
    '_mta-sts.every.example': { TXT: ['v=STSv1; id=1'] },
    'one._domainkey.every.example': { TXT: [keyRecord(publicKey)] },
  })
  assert.match(await run('dkim lookup', 'one', 'every.example', '--server', address), /^key: +ed25519$/m)
  const file = join(directory, 'signed.eml')
  const [header, body] = ['From: a@every.example\r\nSubject: x\r\n', 'x\r\n']
  writeFileSync(file, signDkim({ header, body, privateKey, domain: 'every.example', selector: 'one' }))
  assert.match(await run('dkim verify', file, '--server', address), /^1: pass$/m)
  assert.match(await run('dmarc lookup', 'every.example', '--server', address), /^policy: +reject$/m)
  const pem = join(directory, 'dkim.pem')
  writeFileSync(pem, privateKey.export({ format: 'pem', type: 'pkcs8' }))
  const signer = ['--key', pem, '--domain', 'every.example', '--selector', 'one']
  assert.match(await run('dkim sign', file, ...signer), /^DKIM-Signature: v=1; a=ed25519-sha256;/)
  const host = await policyHost(context, 'every.example', () => ({
    text: 'version: STSv1\nmode: enforce\nmx: mx.every.example\nmax_age: 604800\n',
  }))
  const options = ['--server', address, '--policy-server', host.address]
  const text = await runIn(
    { NODE_EXTRA_CA_CERTS: host.authorityFile },
    'mtasts lookup',
    'every.example',
    ...options,
  )
  assert.match(text, /^ {2}mode: enforce$/m)
})

test('AT-66: that were all commands', () => {
  assert.deepEqual(
    namesOf(posternCommand({})).filter((name) => !ran.has(name)),
    [],
  )
})

/** The names of all commands that have no commands of their own. */
function namesOf(command: Command): readonly string[] {
  return command.commands.flatMap((each) =>
    each.commands.length === 0 ? [each.name()] : namesOf(each).map((name) => `${each.name()} ${name}`),
  )
}
