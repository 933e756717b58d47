import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { freshAccount, type Options, type Route } from '../../shared/account/options.ts'
import { parseDomainName } from '../../shared/address/domain-name.ts'
import { testAdmin } from '../support/admin-ports.ts'
import { posternFor } from './admin-server.ts'

const relay = { kind: 'submission', host: 'smtp.example', port: 587, tls: 'required' } as const
const fail = { kind: 'fail', code: 554, message: 'no' } as const
const domain = parseDomainName('shop.example')
const domains = { [domain]: { separators: [], disabled: false } }
const route = (transport: string, more: Partial<Route> = {}): Route => ({
  fromDomains: [],
  toDomains: [],
  minimumAttempts: 0,
  transport,
  ...more,
})

const kinds: readonly { args: readonly string[]; set: object; stdout: string }[] = [
  {
    args: ['--kind', 'smtp', '--host', 'smtp.example', '--tls', 'opportunistic'],
    set: { kind: 'smtp', host: 'smtp.example', port: 25, tls: 'opportunistic' },
    stdout: 'transport way set: smtp smtp.example port 25, TLS opportunistic\n',
  },
  {
    args: ['--kind', 'submission', '--host', 'smtp.example'],
    set: relay,
    stdout: 'transport way set: submission smtp.example port 587, TLS required\n',
  },
  {
    args: ['--kind', 'submissions', '--host', 'smtp.example', '--port', '1465'],
    set: { kind: 'submissions', host: 'smtp.example', port: 1465, tls: 'required' },
    stdout: 'transport way set: submissions smtp.example port 1465, TLS required\n',
  },
  { args: ['--kind', 'direct'], set: { kind: 'direct' }, stdout: 'transport way set: direct\n' },
  {
    args: ['--kind', 'direct', '--only-family', '4'],
    set: { kind: 'direct', onlyFamily: 4 },
    stdout: 'transport way set: direct over IPv4 only\n',
  },
  {
    args: [
      ...['--kind', 'socks', '--address', '[2001:db8::1]:1080', '--remote-hostname', 'out.example'],
      ...['--remote-ip', '192.0.2.1', '2001:db8::2'],
    ],
    set: {
      kind: 'socks',
      host: '2001:db8::1',
      port: 1080,
      hostname: 'out.example',
      ipAddresses: ['192.0.2.1', '2001:db8::2'],
    },
    stdout: 'transport way set: socks proxy [2001:db8::1]:1080, as out.example\n',
  },
  { args: ['--kind', 'ses'], set: { kind: 'ses' }, stdout: 'transport way set: ses\n' },
  {
    args: ['--kind', 'fail', '--code', '450', '--message', 'closed until Monday'],
    set: { kind: 'fail', code: 450, message: 'closed until Monday' },
    stdout: 'transport way set: fail 450 closed until Monday\n',
  },
]

for (const { args, set, stdout } of kinds) {
  test(`transport set ${args.join(' ')}`, async (t) => {
    const admin = testAdmin()
    const postern = await posternFor(t, admin)
    assert.deepEqual(await postern('transport', 'set', 'way', ...args), { status: 0, stdout, stderr: '' })
    assert.deepEqual(admin.state.options.transports, { way: set })
  })
}

const badTransports = [
  { args: ['--kind', 'ses', '--host', 'a.example'], error: '--host is no option of --kind ses' },
  { args: ['--kind', 'direct', '--code', '450'], error: '--code is no option of --kind direct' },
  { args: ['--kind', 'smtp'], error: '--kind smtp needs --host' },
  {
    args: ['--kind', 'socks', '--address', 'a.example:1080'],
    error: '--kind socks needs --remote-hostname, --remote-ip',
  },
  {
    args: ['--kind', 'smtp', '--host', 'a.example', '--password-file', 'x'],
    error: '--password-file needs --username',
  },
  {
    args: ['--kind', 'smtp', '--host', 'a.example', '--username', 'me'],
    error: 'Login.Password: is required for a new user name or host',
  },
  {
    args: ['--kind', 'submissions', '--host', 'a.example', '--tls', 'none'],
    error: 'TLS: must be one of unverified, required',
  },
  { args: ['--kind', 'fail', '--code', '250'], error: 'SMTPCode: must be a whole number from 400 to 599' },
]

for (const { args, error } of badTransports) {
  test(`transport set ${args.join(' ')} changes nothing`, async (t) => {
    const admin = testAdmin()
    const postern = await posternFor(t, admin)
    const { status, stdout, stderr } = await postern('transport', 'set', 'way', ...args)
    assert.deepEqual({ status, stdout, stderr }, { status: 1, stdout: '', stderr: `error: ${error}\n` })
    assert.deepEqual(admin.state.options.transports, {})
  })
}

test('the password of a relay comes from a file, without its line end, and is shown nowhere', async (t) => {
  const admin = testAdmin()
  const postern = await posternFor(t, admin)
  const login = ['--username', 'shop', '--mechanism', 'SCRAM-SHA-256', 'PLAIN']
  const args = ['transport', 'set', 'relay', '--kind', 'submission', '--host', 'smtp.example', ...login]
  const set = await postern(...args, '--password-file', temporaryFile(t, 'correct horse\n'))
  assert.deepEqual([set.status, set.stderr], [0, ''])
  assert.equal(set.stdout, 'transport relay set: submission smtp.example port 587, TLS required, as shop\n')
  const shown = await postern('transport', 'show', 'relay')
  const lines = [
    'Name:        relay',
    'Kind:        submission',
    'Host:        smtp.example',
    'Port:        587',
    'TLS:         required',
    'Username:    shop',
    'Mechanisms:  SCRAM-SHA-256 PLAIN',
    '',
  ]
  assert.equal(shown.stdout, lines.join('\n'))
  assert.equal(admin.state.relayPasswords.size, 1)
  assert.doesNotMatch(JSON.stringify([set, shown, admin.state.options]), /horse/)
  assert.equal((await postern(...args)).status, 0, 'without a terminal the password stays')
  assert.equal(admin.state.relayPasswords.size, 1)
})

test('a password file that is empty or not there changes nothing', async (t) => {
  const postern = await posternFor(t, testAdmin())
  const args = ['transport', 'set', 'way', '--kind', 'smtp', '--host', 'a.example', '--username', 'me']
  const empty = temporaryFile(t, '\n')
  const { stderr } = await postern(...args, '--password-file', empty)
  assert.equal(stderr, `error: --password-file: ${empty} is empty\n`)
  assert.match(
    (await postern(...args, '--password-file', `${empty}x`)).stderr,
    /^error: --password-file: ENOENT/,
  )
})

test('transport: list, and remove what no route names', async (t) => {
  const admin = testAdmin({ transports: { relay, ses: { kind: 'ses' } }, routes: [route('relay')] })
  const postern = await posternFor(t, admin)
  const lines = [
    'NAME   KIND        LEADS TO',
    'relay  submission  smtp.example port 587, TLS required',
    'ses    ses',
  ]
  assert.equal((await postern('transport', 'list')).stdout, `${lines.join('\n')}\n`)
  assert.equal((await postern('transport', 'remove', 'relay')).status, 1)
  assert.equal((await postern('transport', 'remove', 'ses')).stdout, 'transport ses removed\n')
})

test('route: set, list, none', async (t) => {
  const postern = await posternFor(t, testAdmin({ transports: { relay } }))
  const set = await postern(
    'route',
    'set',
    'relay,from=a.example,to=.b.example,to=c.example,attempts=3',
    'relay',
  )
  const list = [
    'NUMBER  TRANSPORT  FROM       TO                    ATTEMPTS',
    '1       relay      a.example  .b.example c.example  3',
    '2       relay      all        all                   0',
    '',
  ].join('\n')
  assert.equal(set.stdout, list)
  assert.equal((await postern('route', 'list')).stdout, list)
  assert.equal((await postern('route', 'set', '--none')).stdout, '(none)\n')
})

const installed: Partial<Options> = {
  transports: { relay, fail },
  domains,
  accounts: { shop: freshAccount },
  routes: [route('relay')],
}
const owners = [
  { owner: [], routesOf: ({ routes }: Options) => routes, before: [route('relay')] },
  { owner: ['--account', 'shop'], routesOf: ({ accounts }: Options) => accounts.shop?.routes, before: [] },
  {
    owner: ['--domain', domain],
    routesOf: (options: Options) => options.domains[domain]?.routes,
    before: [],
  },
]
for (const { owner, routesOf, before } of owners) {
  test(`route: add and remove ${owner.join(' ') || 'for the installation'}`, async (t) => {
    const admin = testAdmin(installed)
    const postern = await posternFor(t, admin)
    await postern('route', 'add', 'relay', ...owner)
    const added = [...before, route('relay')]
    assert.deepEqual(routesOf(admin.state.options), added)
    const options = ['--to', 'a.example', '.b.example', '--attempts', '3', '--before', '1']
    await postern('route', 'add', 'fail', ...owner, ...options)
    const first = route('fail', { toDomains: ['a.example', '.b.example'], minimumAttempts: 3 })
    assert.deepEqual(routesOf(admin.state.options), [first, ...added])
    await postern('route', 'remove', '2', ...owner)
    assert.deepEqual(routesOf(admin.state.options), [first, ...added.slice(1)])
    const list = await postern('route', 'list', ...owner)
    assert.match(list.stdout, /^1 +fail +all +a\.example \.b\.example +3$/m)
  })
}

const badRoutes = [
  { args: ['set'], error: 'give the routes, or --none for no route' },
  { args: ['set', 'relay', '--none'], error: 'give the routes, or --none for no route' },
  {
    args: ['set', 'relay,a.example'],
    error: 'route relay,a.example: "a.example" is none of from=DOMAIN, to=DOMAIN, attempts=N',
  },
  {
    args: ['set', 'relay,attempts=x'],
    error: 'route relay,attempts=x: attempts= must be given once, as a whole number',
  },
  { args: ['add', 'bogus'], error: 'Routes[1].Transport: there is no transport "bogus"' },
  { args: ['add', 'relay', '--before', '2'], error: 'there is no such route: give a number from 1 to 1' },
  { args: ['remove', '0'], error: 'there is no such route: give a number from 1 to 1' },
  { args: ['remove', 'relay'], error: 'there is no such route: give a number from 1 to 1' },
  { args: ['remove', '1', '--account', 'shop'], error: 'there is no such route: there are no routes' },
  { args: ['list', '--account', 'bogus'], error: 'there is no account "bogus"' },
  { args: ['add', 'relay', '--domain', 'bogus.example'], error: 'there is no domain bogus.example' },
]

for (const { args, error } of badRoutes) {
  test(`route ${args.join(' ')} changes nothing`, async (t) => {
    const admin = testAdmin(installed)
    const postern = await posternFor(t, admin)
    assert.deepEqual(await postern('route', ...args), { status: 1, stdout: '', stderr: `error: ${error}\n` })
    assert.equal(admin.state.options.version, 0)
  })
}

/** A file with that text, for the time of the test. */
function temporaryFile(t: TestContext, text: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'postern-password-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'password')
  writeFileSync(file, text)
  return file
}
