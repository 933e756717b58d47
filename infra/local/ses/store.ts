import { join } from 'node:path'
import { DatabaseSync, type SQLTagStore } from 'node:sqlite'
import type { JsonObject } from '../gateway/json-service.ts'

/** A mail that was accepted. */
export interface AcceptedMail {
  readonly messageId: string
  /** Milliseconds since 1970. */
  readonly acceptedAt: number
  /** The address that it was sent from, as the call says or else its From field. */
  readonly source: string
  /** All recipients. */
  readonly destination: readonly string[]
  readonly configurationSet: string | undefined
  /** The call's EmailTags. */
  readonly tags: Readonly<Record<string, string>>
  /** The message as it came. */
  readonly raw: Buffer
}

/** An event that is on its way. */
export interface WaitingEvent {
  readonly sequence: number
  readonly event: JsonObject
}

const schema = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  CREATE TABLE IF NOT EXISTS identities (name TEXT PRIMARY KEY, document TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS configuration_sets (name TEXT PRIMARY KEY, document TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS account (only INTEGER PRIMARY KEY CHECK (only = 1), sends INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS mails (
    sequence INTEGER PRIMARY KEY, message_id TEXT NOT NULL, accepted_at INTEGER NOT NULL, source TEXT NOT NULL,
    destination TEXT NOT NULL, recipients INTEGER NOT NULL, configuration_set TEXT, tags TEXT NOT NULL,
    raw BLOB NOT NULL) STRICT;
  CREATE INDEX IF NOT EXISTS mails_by_time ON mails (accepted_at, recipients);
  CREATE TABLE IF NOT EXISTS events (
    sequence INTEGER PRIMARY KEY, due_at INTEGER NOT NULL, event TEXT NOT NULL) STRICT;
  CREATE INDEX IF NOT EXISTS events_by_time ON events (due_at, sequence);`

/** The tables of the local SES in `<directory>/ses.sqlite`. */
export class SesStore {
  readonly #database: DatabaseSync
  readonly #sql: SQLTagStore

  constructor(directory: string) {
    this.#database = new DatabaseSync(join(directory, 'ses.sqlite'))
    this.#database.exec(schema)
    this.#sql = this.#database.createTagStore()
  }

  close(): void {
    this.#database.close()
  }

  identity(name: string): string | undefined {
    return text(this.#sql.get`SELECT document FROM identities WHERE name = ${name}`?.document)
  }

  setIdentity(name: string, document: string): void {
    this.#sql.run`
      INSERT INTO identities VALUES (${name}, ${document}) ON CONFLICT DO UPDATE SET document = ${document}`
  }

  /** Whether there was one. */
  deleteIdentity(name: string): boolean {
    return this.#sql.run`DELETE FROM identities WHERE name = ${name}`.changes === 1
  }

  configurationSet(name: string): string | undefined {
    return text(this.#sql.get`SELECT document FROM configuration_sets WHERE name = ${name}`?.document)
  }

  setConfigurationSet(name: string, document: string): void {
    this.#sql.run`
      INSERT INTO configuration_sets VALUES (${name}, ${document})
      ON CONFLICT DO UPDATE SET document = ${document}`
  }

  isSendingEnabled(): boolean {
    return this.#sql.get`SELECT sends FROM account`?.sends !== 0
  }

  setSendingEnabled(isEnabled: boolean): void {
    const sends = isEnabled ? 1 : 0
    this.#sql.run`INSERT INTO account VALUES (1, ${sends}) ON CONFLICT DO UPDATE SET sends = ${sends}`
  }

  /** Recipients since then. */
  recipientsSince(at: number): number {
    return Number(
      this.#sql.get`SELECT sum(recipients) AS sent FROM mails WHERE accepted_at > ${at}`?.sent ?? 0,
    )
  }

  /** Keeps a mail and its events together: what was accepted has its events. */
  accept(
    mail: AcceptedMail,
    events: readonly { readonly dueAt: number; readonly event: JsonObject }[],
  ): void {
    const { messageId, acceptedAt, source, destination, configurationSet = null, tags, raw } = mail
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      this.#sql.run`
        INSERT INTO mails (message_id, accepted_at, source, destination, recipients, configuration_set, tags, raw)
        VALUES (${messageId}, ${acceptedAt}, ${source}, ${JSON.stringify(destination)}, ${destination.length},
          ${configurationSet}, ${JSON.stringify(tags)}, ${raw})`
      for (const { dueAt, event } of events) {
        this.#sql.run`INSERT INTO events (due_at, event) VALUES (${dueAt}, ${JSON.stringify(event)})`
      }
      this.#database.exec('COMMIT')
    } catch (error) {
      this.#database.exec('ROLLBACK')
      throw error
    }
  }

  /** In the order in which they were accepted. */
  mails(): readonly AcceptedMail[] {
    const rows = this.#sql.all`SELECT * FROM mails ORDER BY sequence`
    return rows.map((row) => ({
      messageId: String(row.message_id),
      acceptedAt: Number(row.accepted_at),
      source: String(row.source),
      destination: JSON.parse(String(row.destination)),
      configurationSet: text(row.configuration_set),
      tags: JSON.parse(String(row.tags)),
      raw: row.raw instanceof Uint8Array ? Buffer.from(row.raw) : Buffer.alloc(0),
    }))
  }

  dueEvents(now: number): readonly WaitingEvent[] {
    const rows = this.#sql.all`
      SELECT sequence, event FROM events WHERE due_at <= ${now} ORDER BY due_at, sequence LIMIT 100`
    return rows.map((row) => ({ sequence: Number(row.sequence), event: JSON.parse(String(row.event)) }))
  }

  /** When the next event is due; undefined when none waits. */
  nextEventAt(): number | undefined {
    const row = this.#sql.get`SELECT min(due_at) AS next FROM events`
    return typeof row?.next === 'number' ? row.next : undefined
  }

  removeEvent(sequence: number): void {
    this.#sql.run`DELETE FROM events WHERE sequence = ${sequence}`
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
