import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite'
import { type JsonObject, type JsonService, ServiceError } from '../gateway/json-service.ts'
import { randomPassword, randomText } from './password.ts'

/** Where the secrets are kept, how their ARNs begin, and where time and chance come from. */
interface SecretsOptions {
  readonly directory: string
  readonly region: string
  readonly accountId: string
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly random: (bytes: number) => Uint8Array
}

/** AWS Secrets Manager for one machine. It keeps the current version of each secret only. */
export function openSecrets(options: SecretsOptions): JsonService {
  const database = openDatabase(options.directory)
  const operations: Readonly<Record<string, (input: JsonObject) => JsonObject>> = {
    CreateSecret: (input) => createSecret(database, input, options),
    GetSecretValue: (input) => getSecretValue(database, input),
    PutSecretValue: (input) => putSecretValue(database, input, options),
    DescribeSecret: (input) => describeSecret(database, input),
    GetRandomPassword: (input) => ({ RandomPassword: randomPassword(input, options.random) }),
  }
  return {
    call: async (name, input) => {
      const operation = Object.hasOwn(operations, name) ? operations[name] : undefined
      if (operation !== undefined) return operation(input)
      throw new ServiceError(
        'UnknownOperationException',
        `The local Secrets Manager does not implement ${name}.`,
      )
    },
    close: () => database.close(),
  }
}

function openDatabase(directory: string): DatabaseSync {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  chmodSync(directory, 0o700)
  const file = join(directory, 'secrets.sqlite')
  // Made before SQLite opens it, so that it is at no moment readable by others; -wal and -shm inherit the mode.
  closeSync(openSync(file, 'a', 0o600))
  const database = new DatabaseSync(file)
  database.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE IF NOT EXISTS secrets (
      name TEXT PRIMARY KEY, arn TEXT NOT NULL, value TEXT, version TEXT NOT NULL,
      details TEXT NOT NULL, created_at INTEGER NOT NULL, changed_at INTEGER NOT NULL) STRICT;`)
  return database
}

function createSecret(database: DatabaseSync, input: JsonObject, options: SecretsOptions): JsonObject {
  const name = requireText(input, 'Name')
  if (!/^[A-Za-z0-9/_+=.@!-]{1,512}$/.test(name)) {
    throw invalid(
      'Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!',
    )
  }
  refuseBinary(input)
  const value = optionalText(input, 'SecretString') ?? null
  const version = optionalText(input, 'ClientRequestToken') ?? newVersion(options)
  const suffix = randomText(alphanumeric, 6, options.random)
  const arn = `arn:aws:secretsmanager:${options.region}:${options.accountId}:secret:${name}-${suffix}`
  const { Description, KmsKeyId, Tags } = input
  const details = JSON.stringify({ Description, KmsKeyId, Tags })
  const now = options.now()
  const { changes } = database
    .prepare('INSERT INTO secrets VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING')
    .run(name, arn, value, version, details, now, now)
  if (changes === 1) return { ARN: arn, Name: name, VersionId: version }
  const existing = findSecret(database, name)
  // The SDK repeats a lost request with the same token, which must not look like a clash of names.
  if (existing.version === version && existing.value === value) {
    return { ARN: existing.arn, Name: name, VersionId: version }
  }
  throw new ServiceError(
    'ResourceExistsException',
    `The operation failed because the secret ${name} already exists.`,
  )
}

function getSecretValue(database: DatabaseSync, input: JsonObject): JsonObject {
  const secret = findSecret(database, requireText(input, 'SecretId'))
  const stage = optionalText(input, 'VersionStage') ?? 'AWSCURRENT'
  if (stage !== 'AWSCURRENT' || secret.value === null) {
    throw notFound(`Secrets Manager can't find the specified secret value for staging label: ${stage}`)
  }
  const version = optionalText(input, 'VersionId') ?? secret.version
  if (version !== secret.version) {
    throw notFound(`Secrets Manager can't find the specified secret value for VersionId: ${version}`)
  }
  return {
    ARN: secret.arn,
    Name: secret.name,
    VersionId: version,
    SecretString: secret.value,
    VersionStages: ['AWSCURRENT'],
    CreatedDate: secret.changedAt / 1000,
  }
}

function putSecretValue(database: DatabaseSync, input: JsonObject, options: SecretsOptions): JsonObject {
  const { name, arn } = findSecret(database, requireText(input, 'SecretId'))
  refuseBinary(input)
  const value = requireText(input, 'SecretString')
  const version = optionalText(input, 'ClientRequestToken') ?? newVersion(options)
  if (input.VersionStages !== undefined) throw invalid('The local Secrets Manager keeps AWSCURRENT only.')
  database
    .prepare('UPDATE secrets SET value = ?, version = ?, changed_at = ? WHERE name = ?')
    .run(value, version, options.now(), name)
  return { ARN: arn, Name: name, VersionId: version, VersionStages: ['AWSCURRENT'] }
}

function describeSecret(database: DatabaseSync, input: JsonObject): JsonObject {
  const secret = findSecret(database, requireText(input, 'SecretId'))
  return {
    ARN: secret.arn,
    Name: secret.name,
    ...secret.details,
    CreatedDate: secret.createdAt / 1000,
    LastChangedDate: secret.changedAt / 1000,
    VersionIdsToStages: secret.value === null ? {} : { [secret.version]: ['AWSCURRENT'] },
  }
}

interface Secret {
  readonly name: string
  readonly arn: string
  readonly value: string | null
  readonly version: string
  readonly details: JsonObject
  readonly createdAt: number
  readonly changedAt: number
}

/** By name, by ARN, or by ARN without its six random characters, as AWS allows. */
function findSecret(database: DatabaseSync, id: string): Secret {
  const row = database
    .prepare('SELECT * FROM secrets WHERE ? IN (name, arn, substr(arn, 1, length(arn) - 7))')
    .get(id)
  if (row === undefined) throw notFound("Secrets Manager can't find the specified secret.")
  return {
    name: String(row.name),
    arn: String(row.arn),
    value: row.value === null ? null : String(row.value),
    version: String(row.version),
    details: parseDetails(row.details),
    createdAt: Number(row.created_at),
    changedAt: Number(row.changed_at),
  }
}

function parseDetails(json: SQLOutputValue | undefined): JsonObject {
  return JSON.parse(String(json))
}

const alphanumeric = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

function newVersion({ random }: SecretsOptions): string {
  return Buffer.from(random(16))
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

function refuseBinary(input: JsonObject): void {
  if (input.SecretBinary !== undefined) {
    throw invalid('The local Secrets Manager takes a SecretString only, no SecretBinary.')
  }
}

function requireText(input: JsonObject, field: string): string {
  const text = optionalText(input, field)
  if (text === undefined || text === '') throw invalid(`You must provide a value for ${field}.`)
  return text
}

function optionalText(input: JsonObject, field: string): string | undefined {
  const value = input[field]
  if (value === undefined || value === null || typeof value === 'string') return value ?? undefined
  throw invalid(`${field} must be a string.`)
}

function invalid(message: string): ServiceError {
  return new ServiceError('InvalidParameterException', message)
}

function notFound(message: string): ServiceError {
  return new ServiceError('ResourceNotFoundException', message)
}
