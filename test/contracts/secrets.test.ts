import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetRandomPasswordCommand,
  type GetRandomPasswordCommandInput,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  TagResourceCommand,
} from '@aws-sdk/client-secrets-manager'
import { type JsonService, ServiceError } from '../../infra/local/gateway/json-service.ts'
import { openSecrets } from '../../infra/local/secrets/secrets.ts'

const foreignEndpoint = process.env.POSTERN_CONTRACT_SECRETS_ENDPOINT
let directory: string
let stop: () => Promise<void> = async () => undefined
let client: SecretsManagerClient

function open(where: string): JsonService {
  return openSecrets({
    directory: where,
    region: 'us-east-1',
    accountId: '000000000000',
    now: () => Date.now(),
    random: (bytes) => randomBytes(bytes),
  })
}

async function serve(secrets: JsonService): Promise<string> {
  const server = createServer(async (request, response) => {
    const operation = String(request.headers['x-amz-target']).replace('secretsmanager.', '')
    const answer = await secrets
      .call(operation, JSON.parse(await text(request)))
      .catch((error: unknown) => error)
    response.setHeader('content-type', 'application/x-amz-json-1.1')
    response.statusCode = answer instanceof ServiceError ? answer.status : 200
    const body = answer instanceof ServiceError ? { __type: answer.code, message: answer.message } : answer
    response.end(JSON.stringify(body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  stop = async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    secrets.close()
  }
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'secrets-contract-'))
  const endpoint = foreignEndpoint ?? (await serve(open(join(directory, 'served'))))
  const credentials = { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'example' }
  client = new SecretsManagerClient({ endpoint, region: 'us-east-1', credentials, maxAttempts: 1 })
})
after(async () => {
  client.destroy()
  await stop()
  await rm(directory, { recursive: true })
})

async function create(SecretString: string): Promise<{ Name: string; ARN: string; VersionId: string }> {
  const Name = `contract/${randomUUID()}`
  const { ARN = '', VersionId = '' } = await client.send(new CreateSecretCommand({ Name, SecretString }))
  return { Name, ARN, VersionId }
}

describe('secrets', () => {
  test('an ARN names region, account, secret and six random characters', async () => {
    const { Name, ARN } = await create('x')
    assert.match(ARN, new RegExp(`^arn:aws:secretsmanager:us-east-1:\\d{12}:secret:${Name}-[A-Za-z0-9]{6}$`))
  })

  test('a value is read by name, by ARN and by ARN without the random characters', async () => {
    const { Name, ARN, VersionId } = await create('välue "1"\n')
    for (const SecretId of [Name, ARN, ARN.slice(0, -7)]) {
      const got = await client.send(new GetSecretValueCommand({ SecretId }))
      assert.equal(got.SecretString, 'välue "1"\n')
      assert.deepEqual(
        [got.ARN, got.Name, got.VersionId, got.VersionStages],
        [ARN, Name, VersionId, ['AWSCURRENT']],
      )
      assert.ok(Math.abs(Date.now() - Number(got.CreatedDate)) < 60_000)
    }
  })

  test('a missing secret is ResourceNotFoundException with the text of AWS', async () => {
    for (const Command of [GetSecretValueCommand, DescribeSecretCommand]) {
      await assert.rejects(client.send(new Command({ SecretId: 'contract/missing' })), {
        name: 'ResourceNotFoundException',
        message: "Secrets Manager can't find the specified secret.",
      })
    }
  })

  test('a name is taken once', async () => {
    const { Name } = await create('first')
    await assert.rejects(client.send(new CreateSecretCommand({ Name, SecretString: 'second' })), {
      name: 'ResourceExistsException',
    })
    assert.equal((await client.send(new GetSecretValueCommand({ SecretId: Name }))).SecretString, 'first')
  })

  test('a repeated CreateSecret with the same token gives the same answer', async () => {
    const input = { Name: `contract/${randomUUID()}`, SecretString: 'x', ClientRequestToken: randomUUID() }
    const first = await client.send(new CreateSecretCommand(input))
    const second = await client.send(new CreateSecretCommand(input))
    assert.deepEqual([second.ARN, second.VersionId], [first.ARN, input.ClientRequestToken])
  })

  test('PutSecretValue replaces the value under the same ARN', async () => {
    const { Name, ARN, VersionId } = await create('old')
    const put = await client.send(new PutSecretValueCommand({ SecretId: ARN, SecretString: 'new' }))
    assert.equal(put.ARN, ARN)
    assert.notEqual(put.VersionId, VersionId)
    const got = await client.send(new GetSecretValueCommand({ SecretId: Name }))
    assert.deepEqual([got.SecretString, got.VersionId], ['new', put.VersionId])
  })

  test('DescribeSecret shows what CreateSecret was told, not the value', async () => {
    const Name = `contract/${randomUUID()}`
    const Tags = [{ Key: 'a', Value: 'b' }]
    const { ARN, VersionId = '' } = await client.send(
      new CreateSecretCommand({ Name, Description: 'about', Tags, SecretString: 'hidden' }),
    )
    const got = await client.send(new DescribeSecretCommand({ SecretId: Name }))
    assert.deepEqual([got.ARN, got.Name, got.Description, got.Tags], [ARN, Name, 'about', Tags])
    assert.deepEqual(got.VersionIdsToStages, { [VersionId]: ['AWSCURRENT'] })
    assert.doesNotMatch(JSON.stringify(got), /hidden/)
  })

  test('a secret without a value has none to read', async () => {
    const Name = `contract/${randomUUID()}`
    await client.send(new CreateSecretCommand({ Name }))
    await assert.rejects(client.send(new GetSecretValueCommand({ SecretId: Name })), {
      name: 'ResourceNotFoundException',
      message: /staging label: AWSCURRENT/,
    })
  })

  for (const Name of ['with space', 'colon:', 'x'.repeat(513)]) {
    test(`the name ${JSON.stringify(Name).slice(0, 20)} is refused`, () =>
      assert.rejects(client.send(new CreateSecretCommand({ Name, SecretString: 'x' })), {
        name: /InvalidParameterException|ValidationException/,
      }))
  }

  test('an operation it does not have is named', { skip: foreignEndpoint !== undefined }, () =>
    assert.rejects(client.send(new TagResourceCommand({ SecretId: 'x', Tags: [] })), {
      name: 'UnknownOperationException',
      message: /TagResource/,
    }),
  )
})

describe('GetRandomPassword', () => {
  const password = async (input: GetRandomPasswordCommandInput): Promise<string> =>
    (await client.send(new GetRandomPasswordCommand(input))).RandomPassword ?? ''

  const sets = { lower: /[a-z]/, upper: /[A-Z]/, digit: /[0-9]/, punctuation: /[!-/:-@[-`{-~]/, space: / / }
  const cases: [input: GetRandomPasswordCommandInput, length: number, has: (keyof typeof sets)[]][] = [
    [{}, 32, ['lower', 'upper', 'digit', 'punctuation']],
    [{ PasswordLength: 4 }, 4, ['lower', 'upper', 'digit', 'punctuation']],
    [{ PasswordLength: 5, IncludeSpace: true }, 5, ['lower', 'upper', 'digit', 'punctuation', 'space']],
    [{ PasswordLength: 43, ExcludePunctuation: true }, 43, ['lower', 'upper', 'digit']],
    [{ ExcludeLowercase: true, ExcludeUppercase: true }, 32, ['digit', 'punctuation']],
    [{ ExcludeNumbers: true, ExcludePunctuation: true, ExcludeUppercase: true }, 32, ['lower']],
    [{ ExcludeCharacters: '0123456789', PasswordLength: 3 }, 3, ['lower', 'upper', 'punctuation']],
    [{ PasswordLength: 4096 }, 4096, ['lower', 'upper', 'digit', 'punctuation']],
  ]
  for (const [input, length, has] of cases) {
    test(`has ${length} characters of exactly ${has.join(', ')}: ${JSON.stringify(input)}`, async () => {
      for (let round = 0; round < 5; round++) {
        const text = await password(input)
        assert.equal(text.length, length)
        for (const [name, pattern] of Object.entries(sets)) {
          assert.equal(
            pattern.test(text),
            has.some((wanted) => wanted === name),
            `${name} in ${text}`,
          )
        }
      }
    })
  }

  test('never has an excluded character', async () => {
    const excluded = '"@/\\\'abcXYZ089'
    const text = await password({ PasswordLength: 4096, ExcludeCharacters: excluded })
    assert.deepEqual(
      [...excluded].filter((character) => text.includes(character)),
      [],
    )
  })

  test('need not have every type when told so', async () => {
    assert.equal((await password({ PasswordLength: 1, RequireEachIncludedType: false })).length, 1)
  })

  const refused: GetRandomPasswordCommandInput[] = [
    { PasswordLength: 0 },
    { PasswordLength: 4097 },
    { PasswordLength: 3 },
    { ExcludeLowercase: true, ExcludeUppercase: true, ExcludeNumbers: true, ExcludePunctuation: true },
  ]
  for (const input of refused) {
    test(`is refused for ${JSON.stringify(input)}`, () =>
      assert.rejects(password(input), { name: /InvalidParameterException|ValidationException/ }))
  }
})

test('ARN and value are the same after a restart', async () => {
  const where = join(directory, 'restarted')
  const first = open(where)
  const created = await first.call('CreateSecret', { Name: 'kept', SecretString: 'value' })
  first.close()
  const second = open(where)
  const got = await second.call('GetSecretValue', { SecretId: 'kept' })
  second.close()
  assert.deepEqual([got.ARN, got.SecretString, got.VersionId], [created.ARN, 'value', created.VersionId])
})

test('only the owner may read the files', async () => {
  const where = join(directory, 'private')
  const secrets = open(where)
  await secrets.call('CreateSecret', { Name: 'a', SecretString: 'b' })
  assert.equal((await stat(where)).mode & 0o777, 0o700)
  for (const file of await readdir(where)) {
    assert.equal((await stat(join(where, file))).mode & 0o777, 0o600, file)
  }
  secrets.close()
})
