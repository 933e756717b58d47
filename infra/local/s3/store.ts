import { randomBytes } from 'node:crypto'
import { closeSync, fsync, mkdirSync, openSync, readdirSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite'
import { promisify } from 'node:util'

/** An object's metadata; its bytes are in the file named `file`. `etag` is without quotes. */
export interface StoredObject {
  readonly key: string
  readonly file: string
  readonly size: number
  readonly etag: string
  readonly modifiedAt: number
  /** Header fields kept with the object, by lower-case name. */
  readonly headers: Readonly<Record<string, string>>
}

/** A multipart upload in progress; `headers` are those of the object to be. */
export interface Upload {
  readonly id: string
  readonly bucket: string
  readonly key: string
  readonly headers: Readonly<Record<string, string>>
}

/** One uploaded part of a multipart upload. */
export interface Part {
  readonly number: number
  readonly file: string
  readonly size: number
  readonly etag: string
  readonly modifiedAt: number
}

/** A bucket as ListBuckets shows it. */
interface Bucket {
  readonly name: string
  readonly createdAt: number
}

const schema = `
  PRAGMA locking_mode = EXCLUSIVE;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA foreign_keys = ON;
  CREATE TABLE IF NOT EXISTS buckets (name TEXT PRIMARY KEY, created_at INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS settings (
    bucket TEXT NOT NULL REFERENCES buckets ON DELETE CASCADE, name TEXT NOT NULL, document TEXT NOT NULL,
    PRIMARY KEY (bucket, name)) STRICT;
  CREATE TABLE IF NOT EXISTS objects (
    bucket TEXT NOT NULL REFERENCES buckets, key TEXT NOT NULL, file TEXT NOT NULL, size INTEGER NOT NULL,
    etag TEXT NOT NULL, modified_at INTEGER NOT NULL, headers TEXT NOT NULL,
    PRIMARY KEY (bucket, key)) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS uploads (
    id TEXT PRIMARY KEY, bucket TEXT NOT NULL REFERENCES buckets ON DELETE CASCADE, key TEXT NOT NULL,
    headers TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS parts (
    upload TEXT NOT NULL REFERENCES uploads ON DELETE CASCADE, number INTEGER NOT NULL, file TEXT NOT NULL,
    size INTEGER NOT NULL, etag TEXT NOT NULL, modified_at INTEGER NOT NULL,
    PRIMARY KEY (upload, number)) STRICT;`

/**
 * Objects on disk. A file is written once under a random name, made durable, and only then named by a row of
 * `s3.sqlite`; so an object is always whole, and files without a row are what a crash left behind.
 * One process at a time may have a directory open.
 */
export class S3Store {
  readonly #directory: string
  readonly #directoryDescriptor: number
  readonly #database: DatabaseSync
  readonly #flush = promisify(fsync)

  constructor(directory: string) {
    this.#directory = join(directory, 'objects')
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 })
    this.#database = new DatabaseSync(join(directory, 's3.sqlite'))
    try {
      this.#database.exec(schema)
    } catch (cause) {
      this.#database.close()
      throw new Error(`${directory}/s3.sqlite cannot be opened: is another process using it?`, { cause })
    }
    this.#removeUnnamedFiles()
    this.#directoryDescriptor = openSync(this.#directory, 'r')
  }

  close(): void {
    this.#database.close()
    closeSync(this.#directoryDescriptor)
  }

  buckets(): Bucket[] {
    const rows = this.#database.prepare('SELECT * FROM buckets ORDER BY name').all()
    return rows.map((row) => ({ name: String(row.name), createdAt: Number(row.created_at) }))
  }

  hasBucket(name: string): boolean {
    return this.#database.prepare('SELECT 1 FROM buckets WHERE name = ?').get(name) !== undefined
  }

  createBucket(name: string, createdAt: number): void {
    this.#database.prepare('INSERT INTO buckets VALUES (?, ?)').run(name, createdAt)
  }

  /** The bucket must hold no object. */
  deleteBucket(name: string): void {
    this.#commit(() => {
      const parts = this.#database
        .prepare('SELECT file FROM parts JOIN uploads ON id = upload WHERE bucket = ?')
        .all(name)
      this.#database.prepare('DELETE FROM buckets WHERE name = ?').run(name)
      return parts.map((row) => String(row.file))
    })
  }

  setting(bucket: string, name: string): string | undefined {
    const row = this.#database
      .prepare('SELECT document FROM settings WHERE bucket = ? AND name = ?')
      .get(bucket, name)
    return row === undefined ? undefined : String(row.document)
  }

  putSetting(bucket: string, name: string, document: string): void {
    this.#database.prepare('INSERT OR REPLACE INTO settings VALUES (?, ?, ?)').run(bucket, name, document)
  }

  deleteSetting(bucket: string, name: string): void {
    this.#database.prepare('DELETE FROM settings WHERE bucket = ? AND name = ?').run(bucket, name)
  }

  object(bucket: string, key: string): StoredObject | undefined {
    const row = this.#database.prepare('SELECT * FROM objects WHERE bucket = ? AND key = ?').get(bucket, key)
    return row === undefined ? undefined : toObject(row)
  }

  /** The first object with a key from `from` on (beyond it when `after`), in UTF-8 byte order. */
  nextObject(bucket: string, from: string, after: boolean): StoredObject | undefined {
    const query = `SELECT * FROM objects WHERE bucket = ? AND key ${after ? '>' : '>='} ? ORDER BY key LIMIT 1`
    const row = this.#database.prepare(query).get(bucket, from)
    return row === undefined ? undefined : toObject(row)
  }

  /** Opened at once: a replacement in a later tick removes the name, not the bytes. The caller closes it. */
  openFile(file: string): number {
    return openSync(join(this.#directory, file), 'r')
  }

  /** Lets `fill` write a new file, makes it durable, then commits; a throw anywhere leaves no file behind. */
  async write<Filled, Result>(
    fill: (write: (chunk: Buffer) => Promise<void>) => Promise<Filled>,
    commit: (file: string, filled: Filled) => Result,
  ): Promise<Result> {
    const file = randomBytes(16).toString('hex')
    const path = join(this.#directory, file)
    const handle = await open(path, 'wx', 0o600)
    try {
      const filled = await fill((chunk) => handle.writeFile(chunk))
      await handle.sync()
      await this.#flush(this.#directoryDescriptor)
      return commit(file, filled)
    } catch (error) {
      rmSync(path, { force: true })
      throw error
    } finally {
      await handle.close()
    }
  }

  /** Stores or replaces an object; a multipart upload it was made from ends in the same step. */
  putObject(bucket: string, object: StoredObject, upload?: string): void {
    const { key, file, size, etag, modifiedAt, headers } = object
    this.#commit(() => {
      const replaced = this.object(bucket, key)
      this.#database
        .prepare('INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?, ?, ?)')
        .run(bucket, key, file, size, etag, modifiedAt, JSON.stringify(headers))
      const parts = upload === undefined ? [] : this.#forgetUpload(upload)
      return replaced === undefined ? parts : [...parts, replaced.file]
    })
  }

  deleteObjects(bucket: string, keys: readonly string[]): void {
    const statement = this.#database.prepare(
      'DELETE FROM objects WHERE bucket = ? AND key = ? RETURNING file',
    )
    this.#commit(() => keys.flatMap((key) => statement.all(bucket, key).map((row) => String(row.file))))
  }

  createUpload({ id, bucket, key, headers }: Upload): void {
    this.#database
      .prepare('INSERT INTO uploads VALUES (?, ?, ?, ?)')
      .run(id, bucket, key, JSON.stringify(headers))
  }

  upload(id: string): Upload | undefined {
    const row = this.#database.prepare('SELECT * FROM uploads WHERE id = ?').get(id)
    if (row === undefined) return undefined
    return { id, bucket: String(row.bucket), key: String(row.key), headers: parseHeaders(row.headers) }
  }

  deleteUpload(id: string): void {
    this.#commit(() => this.#forgetUpload(id))
  }

  parts(upload: string): Part[] {
    const rows = this.#database.prepare('SELECT * FROM parts WHERE upload = ? ORDER BY number').all(upload)
    return rows.map((row) => ({
      number: Number(row.number),
      file: String(row.file),
      size: Number(row.size),
      etag: String(row.etag),
      modifiedAt: Number(row.modified_at),
    }))
  }

  putPart(upload: string, part: Part): void {
    this.#commit(() => {
      const replaced = this.parts(upload).filter((other) => other.number === part.number)
      this.#database
        .prepare('INSERT OR REPLACE INTO parts VALUES (?, ?, ?, ?, ?, ?)')
        .run(upload, part.number, part.file, part.size, part.etag, part.modifiedAt)
      return replaced.map((other) => other.file)
    })
  }

  #forgetUpload(id: string): string[] {
    const files = this.parts(id).map((part) => part.file)
    this.#database.prepare('DELETE FROM uploads WHERE id = ?').run(id)
    return files
  }

  /** Runs `change` as one transaction; the files it returns are removed after the commit. */
  #commit(change: () => readonly string[]): void {
    this.#database.exec('BEGIN IMMEDIATE')
    let unnamed: readonly string[]
    try {
      unnamed = change()
      this.#database.exec('COMMIT')
    } catch (error) {
      this.#database.exec('ROLLBACK')
      throw error
    }
    for (const file of unnamed) {
      try {
        rmSync(join(this.#directory, file), { force: true })
      } catch {
        // The change is committed and stands; the next open removes what has no row.
      }
    }
  }

  #removeUnnamedFiles(): void {
    const rows = this.#database.prepare('SELECT file FROM objects UNION ALL SELECT file FROM parts').all()
    const named = new Set(rows.map((row) => String(row.file)))
    for (const file of readdirSync(this.#directory)) {
      if (!named.has(file)) rmSync(join(this.#directory, file))
    }
  }
}

function toObject(row: Record<string, SQLOutputValue>): StoredObject {
  return {
    key: String(row.key),
    file: String(row.file),
    size: Number(row.size),
    etag: String(row.etag),
    modifiedAt: Number(row.modified_at),
    headers: parseHeaders(row.headers),
  }
}

function parseHeaders(json: SQLOutputValue | undefined): Readonly<Record<string, string>> {
  return JSON.parse(String(json))
}
