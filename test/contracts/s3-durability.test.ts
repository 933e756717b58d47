import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutBucketLifecycleConfigurationCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { clientFor, presign, serve } from './s3-endpoint.ts'

const Bucket = 'durable'
let directory: string

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 's3-durability-'))
})
after(() => rm(directory, { recursive: true }))

async function read(client: S3Client, Key: string): Promise<Buffer> {
  const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }))
  return Buffer.from((await Body?.transformToByteArray()) ?? [])
}

/** Content from which its key and wholeness can be told. */
function content(name: string): Buffer {
  return Buffer.from(createHash('sha256').update(name).digest('hex').repeat(1500))
}

const child = `
const { serve } = await import(process.argv[1])
console.log((await serve(process.argv[2])).url)`

test('SIGKILL during writes loses no acknowledged object and leaves none half-written', async (context) => {
  const home = join(directory, 'killed')
  const script = import.meta.resolve('./s3-endpoint.ts')
  const server = spawn(process.execPath, ['--input-type=module', '-e', child, script, home])
  context.after(() => server.kill('SIGKILL'))
  const [line] = await once(server.stdout, 'data')
  const client = clientFor(String(line).trim())
  await client.send(new CreateBucketCommand({ Bucket }))
  const acknowledged = new Set<string>()
  const newest = new Map<string, number>()
  const writer = async (id: number): Promise<void> => {
    for (let round = 0; ; round++) {
      const Key = `${id}/${round}`
      await client.send(new PutObjectCommand({ Bucket, Key, Body: content(Key) }))
      acknowledged.add(Key)
      await client.send(new PutObjectCommand({ Bucket, Key: `${id}`, Body: content(`${id} v${round}`) }))
      newest.set(`${id}`, round)
    }
  }
  const writers = Promise.allSettled([0, 1, 2, 3, 4, 5].map(writer))
  while (acknowledged.size < 100) await new Promise((resolve) => setTimeout(resolve, 10))
  server.kill('SIGKILL')
  await Promise.all([writers, once(server, 'exit')])
  client.destroy()

  const again = await serve(home)
  for (const key of acknowledged) assert.ok(content(key).equals(await read(again.client, key)), key)
  for (const [key, round] of newest) {
    const body = await read(again.client, key)
    // The overwrite in flight at the kill may or may not have been committed.
    assert.ok(
      [round, round + 1].some((version) => content(`${key} v${version}`).equals(body)),
      key,
    )
  }
  const { Contents = [] } = await again.client.send(new ListObjectsV2Command({ Bucket }))
  for (const { Key = '', ETag } of Contents) {
    const md5 = createHash('md5')
      .update(await read(again.client, Key))
      .digest('hex')
    assert.equal(ETag, `"${md5}"`)
  }
  assert.equal((await readdir(join(home, 'objects'))).length, Contents.length)
  await again.close()
})

test('objects, settings and uploads in progress survive a restart; files of no object do not', async () => {
  const home = join(directory, 'restarted')
  const first = await serve(home)
  await first.client.send(new CreateBucketCommand({ Bucket }))
  await first.client.send(new PutObjectCommand({ Bucket, Key: 'key', Body: 'x', Metadata: { a: 'b' } }))
  const LifecycleConfiguration = {
    Rules: [{ Status: 'Enabled' as const, Expiration: { Days: 1 }, Filter: {} }],
  }
  await first.client.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration }))
  const { UploadId } = await first.client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'parts' }))
  const upload = { Bucket, Key: 'parts', UploadId }
  await first.client.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body: 'part' }))
  await first.close()
  await writeFile(join(home, 'objects', 'left-by-a-crash'), 'half')

  const second = await serve(home)
  const { Metadata } = await second.client.send(new GetObjectCommand({ Bucket, Key: 'key' }))
  assert.deepEqual(Metadata, { a: 'b' })
  assert.equal((await second.client.send(new ListPartsCommand(upload))).Parts?.length, 1)
  assert.equal((await readdir(join(home, 'objects'))).length, 2)
  await second.close()
})

test('a directory is opened by one process at a time, and only its owner may read it', async () => {
  const home = join(directory, 'locked')
  const first = await serve(home)
  await assert.rejects(serve(home), /s3\.sqlite cannot be opened: is another process using it\?/)
  assert.equal((await stat(join(home, 'objects'))).mode & 0o777, 0o700)
  await first.close()
  await (await serve(home)).close()
})

describe('uploads', () => {
  let home: string
  let own: Awaited<ReturnType<typeof serve>>
  before(async () => {
    home = join(directory, 'uploads')
    own = await serve(home)
    await own.client.send(new CreateBucketCommand({ Bucket }))
  })
  after(() => own.close())

  test('a connection cut in the middle stores nothing and leaves no file', async () => {
    const url = presign(own.url, `/${Bucket}/cut`, { method: 'PUT' })
    const upload = request(url, { method: 'PUT', headers: { 'content-length': 1_000_000 } })
    upload.on('error', () => undefined)
    upload.write(Buffer.alloc(500_000))
    while ((await readdir(join(home, 'objects'))).length === 0) await pause()
    upload.destroy()
    while ((await readdir(join(home, 'objects'))).length > 0) await pause()
    await assert.rejects(read(own.client, 'cut'), { name: 'NoSuchKey' })
  })

  test('a reader keeps the version it began with while it is replaced', async () => {
    const old = Buffer.alloc(8_000_000, 'old')
    await own.client.send(new PutObjectCommand({ Bucket, Key: 'replaced', Body: old }))
    const { Body } = await own.client.send(new GetObjectCommand({ Bucket, Key: 'replaced' }))
    await own.client.send(new PutObjectCommand({ Bucket, Key: 'replaced', Body: 'new' }))
    assert.ok(old.equals(Buffer.from((await Body?.transformToByteArray()) ?? [])))
    assert.equal(String(await read(own.client, 'replaced')), 'new')
  })

  test('100 MB go in and out without ever being held as a whole', async () => {
    const piece = randomBytes(1_000_000)
    const url = presign(own.url, `/${Bucket}/large`, { method: 'PUT' })
    const upload = request(url, { method: 'PUT', headers: { 'content-length': 100 * piece.length } })
    const answered = once(upload, 'response')
    const before = process.memoryUsage().arrayBuffers
    let peak = 0
    const sample = (): void => {
      peak = Math.max(peak, process.memoryUsage().arrayBuffers - before)
    }
    const md5 = createHash('md5')
    for (let sent = 0; sent < 100; sent++) {
      md5.update(piece)
      if (!upload.write(piece)) await once(upload, 'drain')
      sample()
    }
    upload.end()
    const [response] = await answered
    response.resume()
    assert.equal(response.statusCode, 200)
    const expected = md5.digest('hex')
    assert.equal(response.headers.etag, `"${expected}"`)

    const received = createHash('md5')
    for await (const chunk of (await fetch(presign(own.url, `/${Bucket}/large`))).body ?? []) {
      received.update(chunk)
      sample()
    }
    assert.equal(received.digest('hex'), expected)
    assert.ok(peak < 100 * piece.length, `peak of ${peak} bytes`)
  })
})

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5))
}
