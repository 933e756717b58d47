import assert from 'node:assert/strict'
import { test } from 'node:test'
import { basic, INITIAL_PASSWORD, testAdmin } from '../support/admin-ports.ts'
import { closedUrl, posternFor, runPostern, serve, serveAdmin } from './admin-server.ts'

const REMOTE = 'https://api.example'

const mistakes = [
  { args: ['acount', 'list'], error: "error: unknown command 'acount' (Did you mean account?)" },
  { args: ['account', 'lst'], error: "error: unknown command 'lst' (Did you mean list?)" },
  {
    args: ['queue', 'list', '--acount', 'x'],
    error: "error: unknown option '--acount' (Did you mean --account?)",
  },
  { args: ['account', 'show'], error: "error: missing required argument 'name'" },
  {
    args: ['account', 'update', 'shop', '--keep-retired-messages', '3d'],
    error:
      "error: option '--keep-retired-messages <duration>' argument '3d' is invalid. Durations look like 72h, 1h30m or 0.",
  },
  { args: ['--url', 'postern', 'queue', 'list'], error: 'error: --url: "postern" is no http or https URL' },
  {
    args: ['--url', 'https://admin:x@api.example', 'queue', 'list'],
    error: 'error: --url: must be the bare URL of the installation, such as https://api.example.org',
  },
]

for (const { args, error } of mistakes) {
  test(`postern ${args.join(' ')}: one line on stderr, and exit code 1`, async () => {
    assert.deepEqual(await runPostern(args), { status: 1, stdout: '', stderr: `${error}\n` })
  })
}

test('says that nobody answers', async () => {
  const url = await closedUrl()
  const { status, stderr } = await runPostern(['queue', 'list', '--url', url], {
    POSTERN_ADMIN_PASSWORD: 'x',
  })
  assert.equal(status, 1)
  assert.equal(stderr, `error: cannot reach ${url} (ECONNREFUSED); is Postern running there? See --url\n`)
})

test('wants a password for every installation but the local one', async () => {
  const { status, stderr } = await runPostern(['queue', 'list', '--url', REMOTE])
  assert.equal(status, 1)
  assert.equal(stderr, `error: set POSTERN_ADMIN_PASSWORD to the administrator's password of ${REMOTE}\n`)
})

test('says that the password was refused', async (t) => {
  const url = await serveAdmin(t, testAdmin())
  const { status, stderr } = await runPostern(['queue', 'list', '--url', url], {
    POSTERN_ADMIN_PASSWORD: 'wrong',
  })
  assert.equal(status, 1)
  assert.equal(stderr, `error: ${url} refused the administrator's password; set POSTERN_ADMIN_PASSWORD\n`)
})

for (const status of [200, 404, 502, 302]) {
  test(`says that an answer with status ${status} is not Postern's`, async (t) => {
    const url = await serve(
      t,
      async () => new Response('<html>', { status, headers: { Location: '/elsewhere' } }),
    )
    const outcome = await runPostern(['account', 'list', '--url', url], { POSTERN_ADMIN_PASSWORD: 'x' })
    const stderr = `error: ${url} answered with status ${status}, but not as Postern's admin API does; is the URL right?\n`
    assert.deepEqual(outcome, { status: 1, stdout: '', stderr })
  })
}

test('sends the password as HTTP Basic in UTF-8 (RFC 7617 §2.1)', async (t) => {
  const seen: unknown[] = []
  const url = await serve(t, async (request) => {
    seen.push(request.headers.authorization)
    return Response.json([])
  })
  await runPostern(['account', 'list', '--url', `${url}/`], { POSTERN_ADMIN_PASSWORD: 'größer' })
  assert.deepEqual(seen, [basic('admin', 'größer')])
})

test("an error is the API's own text", async (t) => {
  const postern = await posternFor(t, testAdmin())
  assert.deepEqual(await postern('account', 'add', 'Shop'), {
    status: 1,
    stdout: '',
    stderr:
      'error: Account: must be 1 to 63 lower-case letters, digits, dots, dashes or underscores, and begin with a letter or digit\n',
  })
})

const lists = [
  ...['account', 'domain', 'address', 'transport', 'route', 'queue', 'mail', 'suppress'],
  ...['queue retired', 'holdrules', 'webhook', 'webhook retired', 'operation'],
]
for (const list of lists) {
  test(`an empty ${list} list is (none), and [] with --json`, async (t) => {
    const postern = await posternFor(t, testAdmin())
    const args = [...list.split(' '), 'list']
    assert.deepEqual(await postern(...args), { status: 0, stdout: '(none)\n', stderr: '' })
    assert.deepEqual(await postern(...args, '--json'), { status: 0, stdout: '[]\n', stderr: '' })
  })
}

const withExamples = [
  ...[[], ['setup'], ['account', 'add'], ['account', 'update'], ['route', 'set']],
  ...[['suppress'], ['suppress', 'import'], ['suppress', 'export']],
  ...['list', 'print', 'dump', 'hold', 'release', 'schedule', 'postpone'].map((name) => ['queue', name]),
  ...['transport', 'requiretls', 'fail', 'drop'].map((name) => ['queue', name]),
  ...['list', 'print', 'release', 'schedule', 'postpone', 'cancel'].map((name) => ['webhook', name]),
  ...[['queue'], ['queue', 'retired', 'list'], ['webhook'], ['webhook', 'retired', 'list']],
  ...[['holdrules'], ['holdrules', 'add'], ['holdrules', 'remove']],
  ...[['operation'], ['operation', 'list'], ['operation', 'cancel']],
  ...[
    ['smtp', 'dial'],
    ['dkim', 'sign'],
    ['tlsresult', 'list'],
  ],
]
for (const args of withExamples) {
  test(`postern ${args.join(' ')} --help has examples`, async () => {
    const { status, stdout } = await runPostern([...args, '--help'])
    assert.equal(status, 0)
    assert.match(stdout, /\nExamples?:\n {2}postern /)
  })
}

test('setup --help tells how to read the first password in AWS', async () => {
  const { stdout } = await runPostern(['setup', '--help'])
  assert.match(
    stdout,
    /aws secretsmanager get-secret-value --secret-id ARN --query SecretString --output text/,
  )
})

test('the help shows no password of the environment', async () => {
  const { stdout } = await runPostern(['setup', '--help'], {
    POSTERN_ADMIN_PASSWORD: 'hidden-one',
    POSTERN_ACCOUNT_PASSWORD: 'hidden-two',
    POSTERN_NEW_ADMIN_PASSWORD: 'hidden-three',
  })
  assert.doesNotMatch(stdout, /hidden/)
})

test('the URL and the password may stand in the environment', async (t) => {
  const url = await serveAdmin(t, testAdmin())
  const environment = { POSTERN_URL: url, POSTERN_ADMIN_PASSWORD: INITIAL_PASSWORD }
  assert.equal((await runPostern(['domain', 'list'], environment)).status, 0)
})
