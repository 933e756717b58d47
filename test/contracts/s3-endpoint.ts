import { createHash, createHmac } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { S3Client } from '@aws-sdk/client-s3'
import { openS3, type S3StandIn } from '../../infra/local/s3/s3.ts'

/** The S3 under test: what POSTERN_CONTRACT_S3_ENDPOINT names, else the stand-in on a free loopback port. */
export interface Endpoint {
  readonly url: string
  readonly client: S3Client
  /** Undefined when the endpoint is not ours. */
  readonly directory: string | undefined
  close(): Promise<void>
}

const accessKeyId = 'AKIAEXAMPLE'
const secretAccessKey = 'example-secret'
const region = 'us-east-1'

export async function openEndpoint(): Promise<Endpoint> {
  const url = process.env.POSTERN_CONTRACT_S3_ENDPOINT
  if (url !== undefined) {
    const client = clientFor(url)
    return { url, client, directory: undefined, close: async () => client.destroy() }
  }
  const directory = await mkdtemp(join(tmpdir(), 's3-contract-'))
  const own = await serve(directory)
  return {
    ...own,
    directory,
    close: async () => {
      await own.close()
      await rm(directory, { recursive: true })
    },
  }
}

/** Serves the stand-in on `directory`, which it leaves in place. */
export async function serve(directory: string): Promise<Omit<Endpoint, 'directory'>> {
  const s3: S3StandIn = openS3({
    directory,
    region,
    now: () => Date.now(),
    secretFor: (id) => (id === accessKeyId ? secretAccessKey : undefined),
  })
  const server: Server = createServer((request, response) => s3.handle(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}`
  const client = clientFor(url)
  return {
    url,
    client,
    close: async () => {
      client.destroy()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      s3.close()
    },
  }
}

export function clientFor(endpoint: string): S3Client {
  const credentials = { accessKeyId, secretAccessKey }
  return new S3Client({ endpoint, region, credentials, forcePathStyle: true, maxAttempts: 1 })
}

export interface Presign {
  readonly method?: string
  readonly expires?: number
  readonly signedAt?: Date
  /** Headers the client will have to send exactly so. */
  readonly headers?: Readonly<Record<string, string>>
  /** Further query parameters, signed like the rest. */
  readonly query?: Readonly<Record<string, string>>
  readonly keyId?: string
  readonly secret?: string
}

/** A presigned URL, written from the AWS documentation and not from the stand-in. */
export function presign(endpoint: string, path: string, options: Presign = {}): string {
  const date = (options.signedAt ?? new Date()).toISOString().replace(/[-:]|\.\d+/g, '')
  const scope = `${date.slice(0, 8)}/${region}/s3/aws4_request`
  const signed: Record<string, string> = { host: new URL(endpoint).host, ...options.headers }
  const names = Object.keys(signed).sort()
  const query = new Map<string, string>(
    Object.entries({
      ...options.query,
      'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
      'X-Amz-Credential': `${options.keyId ?? accessKeyId}/${scope}`,
      'X-Amz-Date': date,
      'X-Amz-Expires': String(options.expires ?? 60),
      'X-Amz-SignedHeaders': names.join(';'),
    }),
  )
  const pairs = [...query].map(([name, value]) => `${uriEncode(name)}=${uriEncode(value)}`).sort()
  const uri = path.split('/').map(uriEncode).join('/')
  const headerLines = names.map((name) => `${name}:${signed[name]}\n`).join('')
  const request = [options.method ?? 'GET', uri, pairs.join('&'), headerLines, names.join(';')]
  const hash = createHash('sha256')
    .update([...request, 'UNSIGNED-PAYLOAD'].join('\n'))
    .digest('hex')
  let key: string | Buffer = `AWS4${options.secret ?? secretAccessKey}`
  for (const part of scope.split('/')) key = createHmac('sha256', key).update(part).digest()
  const text = ['AWS4-HMAC-SHA256', date, scope, hash].join('\n')
  const signature = createHmac('sha256', key).update(text).digest('hex')
  return `${endpoint}${uri}?${pairs.join('&')}&X-Amz-Signature=${signature}`
}

function uriEncode(text: string): string {
  return [...Buffer.from(text)]
    .map((byte) =>
      /[A-Za-z0-9_.~-]/.test(String.fromCharCode(byte))
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
    )
    .join('')
}
