import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, type SQLOutputValue, type SQLTagStore } from 'node:sqlite'
import type { Attributes } from './attributes.ts'
import { GroupCommit } from './commit.ts'
import type { MessageAttributes } from './message.ts'

/** A queue as stored; `attributes` holds only what was set, instants are in milliseconds. */
export interface Queue {
  readonly id: number
  readonly name: string
  readonly attributes: Attributes
  readonly tags: Attributes
  readonly createdAt: number
  readonly modifiedAt: number
}

/** A message as stored; `receipt` is the secret of its latest receive, instants are in milliseconds. */
export interface StoredMessage {
  readonly sequence: number
  readonly id: string
  readonly body: string
  readonly attributes: MessageAttributes
  readonly groupId: string | undefined
  readonly deduplicationId: string | undefined
  readonly sourceArn: string | undefined
  readonly sentAt: number
  readonly visibleAt: number
  readonly receives: number
  readonly firstReceivedAt: number
  readonly receivedAt: number
  readonly receipt: string | undefined
}

/** What a new message brings. */
export interface NewMessage {
  readonly id: string
  readonly body: string
  readonly attributes: MessageAttributes
  readonly groupId: string | undefined
  readonly deduplicationId: string | undefined
  readonly sentAt: number
  readonly visibleAt: number
}

/** How many messages of a queue are in which state. */
export interface MessageCounts {
  readonly visible: number
  readonly inFlight: number
  readonly delayed: number
}

/** A message sent within the deduplication interval. */
export interface SentBefore {
  readonly id: string
  readonly sequence: number
}

// AUTOINCREMENT: a number is never given out again, so an old receipt handle cannot meet another message.
const SCHEMA = `
CREATE TABLE IF NOT EXISTS queues (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  attributes TEXT NOT NULL,
  tags TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  modified_at INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS messages (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  queue INTEGER NOT NULL REFERENCES queues ON DELETE CASCADE,
  id TEXT NOT NULL,
  body TEXT NOT NULL,
  attributes TEXT NOT NULL,
  group_id TEXT,
  deduplication_id TEXT,
  source_arn TEXT,
  sent_at INTEGER NOT NULL,
  visible_at INTEGER NOT NULL,
  receives INTEGER NOT NULL DEFAULT 0,
  first_received_at INTEGER,
  received_at INTEGER,
  receipt TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS messages_by_visibility ON messages (queue, visible_at);
CREATE INDEX IF NOT EXISTS messages_in_order ON messages (queue, sequence, visible_at, group_id);
CREATE INDEX IF NOT EXISTS messages_by_age ON messages (queue, sent_at);
CREATE TABLE IF NOT EXISTS deduplications (
  queue INTEGER NOT NULL REFERENCES queues ON DELETE CASCADE,
  scope TEXT NOT NULL,
  deduplication_id TEXT NOT NULL,
  id TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  sent_at INTEGER NOT NULL,
  PRIMARY KEY (queue, scope, deduplication_id)
) STRICT;
CREATE INDEX IF NOT EXISTS deduplications_by_age ON deduplications (queue, sent_at);
`

/** The tables of the local SQS in `<directory>/sqs.sqlite`. Every call but `close` belongs inside `commit`. */
export class SqsStore {
  readonly #database: DatabaseSync
  readonly #sql: SQLTagStore
  readonly #group: GroupCommit

  constructor(directory: string) {
    mkdirSync(directory, { recursive: true })
    this.#database = new DatabaseSync(join(directory, 'sqs.sqlite'))
    this.#database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON')
    this.#database.exec(SCHEMA)
    this.#sql = this.#database.createTagStore()
    this.#group = new GroupCommit(this.#database)
  }

  /** Runs `work` in a transaction and answers once it is on disk. */
  commit<T>(work: () => T): Promise<T> {
    return this.#group.commit(work)
  }

  close(): void {
    this.#group.flush()
    this.#database.close()
  }

  findQueue(name: string): Queue | undefined {
    const row = this.#sql.get`SELECT * FROM queues WHERE name = ${name}`
    return row === undefined ? undefined : queueOf(row)
  }

  /** Names in order, from `prefix`, after `after`. */
  queueNames(prefix: string, after: string, limit: number): readonly string[] {
    const rows = this.#sql.all`
      SELECT name FROM queues WHERE substr(name, 1, ${prefix.length}) = ${prefix} AND name > ${after}
      ORDER BY name LIMIT ${limit}`
    return rows.map((row) => String(row.name))
  }

  createQueue(name: string, attributes: Attributes, tags: Attributes, now: number): void {
    this.#sql.run`
      INSERT INTO queues (name, attributes, tags, created_at, modified_at)
      VALUES (${name}, ${JSON.stringify(attributes)}, ${JSON.stringify(tags)}, ${now}, ${now})`
  }

  setAttributes(queue: Queue, attributes: Attributes, now: number): void {
    this.#sql.run`
      UPDATE queues SET attributes = ${JSON.stringify(attributes)}, modified_at = ${now} WHERE id = ${queue.id}`
  }

  setTags(queue: Queue, tags: Attributes): void {
    this.#sql.run`UPDATE queues SET tags = ${JSON.stringify(tags)} WHERE id = ${queue.id}`
  }

  deleteQueue(queue: Queue): void {
    this.#sql.run`DELETE FROM queues WHERE id = ${queue.id}`
  }

  /** Answers the new message's sequence number. */
  addMessage(queue: Queue, message: NewMessage): number {
    const { lastInsertRowid } = this.#sql.run`
      INSERT INTO messages (queue, id, body, attributes, group_id, deduplication_id, sent_at, visible_at)
      VALUES (${queue.id}, ${message.id}, ${message.body}, ${JSON.stringify(message.attributes)},
        ${message.groupId ?? null}, ${message.deduplicationId ?? null}, ${message.sentAt}, ${message.visibleAt})`
    return Number(lastInsertRowid)
  }

  /** The message sent under this id and scope after `since`. */
  findSent(queue: Queue, scope: string, deduplicationId: string, since: number): SentBefore | undefined {
    const row = this.#sql.get`
      SELECT id, sequence FROM deduplications
      WHERE queue = ${queue.id} AND scope = ${scope} AND deduplication_id = ${deduplicationId}
        AND sent_at > ${since}`
    return row === undefined ? undefined : { id: String(row.id), sequence: Number(row.sequence) }
  }

  rememberSent(queue: Queue, scope: string, deduplicationId: string, sent: SentBefore, now: number): void {
    this.#sql.run`
      INSERT OR REPLACE INTO deduplications (queue, scope, deduplication_id, id, sequence, sent_at)
      VALUES (${queue.id}, ${scope}, ${deduplicationId}, ${sent.id}, ${sent.sequence}, ${now})`
  }

  /** Drops what is past the queue's retention and the deduplication interval. */
  expire(queue: Queue, messagesUntil: number, deduplicationsUntil: number): void {
    this.#sql.run`DELETE FROM messages WHERE queue = ${queue.id} AND sent_at <= ${messagesUntil}`
    this.#sql.run`DELETE FROM deduplications WHERE queue = ${queue.id} AND sent_at <= ${deduplicationsUntil}`
  }

  /** Visible messages of a standard queue, those waiting longest first. */
  visible(queue: Queue, now: number, limit: number): readonly StoredMessage[] {
    const rows = this.#sql.all`
      SELECT * FROM messages WHERE queue = ${queue.id} AND visible_at <= ${now}
      ORDER BY visible_at, sequence LIMIT ${limit}`
    return rows.map(messageOf)
  }

  /**
   * Visible messages of a FIFO queue in order, without the groups in flight and what waits behind a delay. What is
   * hidden is looked at first, and is little; then the queue from its head. SQS looks at the first 120,000 messages
   * only (SQS Developer Guide, "Avoid large message backlogs with the same message group ID").
   */
  visibleInOrder(queue: Queue, now: number, limit: number): readonly StoredMessage[] {
    const rows = this.#sql.all`
      WITH hidden AS MATERIALIZED (
        SELECT group_id, min(iif(receipt IS NULL, sequence, 0)) AS since FROM messages
        WHERE queue = ${queue.id} AND visible_at > ${now} GROUP BY group_id
      )
      SELECT * FROM messages WHERE sequence IN (
        SELECT sequence FROM messages INDEXED BY messages_in_order LEFT JOIN hidden USING (group_id)
        WHERE queue = ${queue.id} AND visible_at <= ${now} AND (since IS NULL OR sequence < since)
        ORDER BY sequence LIMIT ${limit}
      )
      ORDER BY sequence`
    return rows.map(messageOf)
  }

  /** Puts a message in flight under a new receipt. */
  deliver(message: StoredMessage, receipt: string, now: number, visibleAt: number): StoredMessage {
    const receives = message.receives + 1
    const firstReceivedAt = message.receives === 0 ? now : message.firstReceivedAt
    this.#sql.run`
      UPDATE messages SET receives = ${receives}, first_received_at = ${firstReceivedAt}, received_at = ${now},
        receipt = ${receipt}, visible_at = ${visibleAt}
      WHERE sequence = ${message.sequence}`
    return { ...message, receives, firstReceivedAt, receivedAt: now, receipt, visibleAt }
  }

  /** Hands a message over to its dead-letter queue under its own id. */
  moveMessage(message: StoredMessage, to: Queue, sourceArn: string, sentAt: number, now: number): void {
    this.#sql.run`
      UPDATE messages SET queue = ${to.id}, source_arn = ${sourceArn}, sent_at = ${sentAt}, visible_at = ${now},
        receipt = NULL
      WHERE sequence = ${message.sequence}`
  }

  findMessage(queue: Queue, sequence: number): StoredMessage | undefined {
    const row = this.#sql.get`SELECT * FROM messages WHERE queue = ${queue.id} AND sequence = ${sequence}`
    return row === undefined ? undefined : messageOf(row)
  }

  setVisibleAt(message: StoredMessage, visibleAt: number): void {
    this.#sql.run`UPDATE messages SET visible_at = ${visibleAt} WHERE sequence = ${message.sequence}`
  }

  deleteMessage(message: StoredMessage): void {
    this.#sql.run`DELETE FROM messages WHERE sequence = ${message.sequence}`
  }

  purge(queue: Queue): void {
    this.#sql.run`DELETE FROM messages WHERE queue = ${queue.id}`
  }

  /** When the next hidden message of the queue turns visible. */
  nextVisibleAt(queue: Queue, now: number): number | undefined {
    const row = this.#sql.get`
      SELECT min(visible_at) AS next FROM messages WHERE queue = ${queue.id} AND visible_at > ${now}`
    return typeof row?.next === 'number' ? row.next : undefined
  }

  count(queue: Queue, now: number): MessageCounts {
    const row = this.#sql.get`
      SELECT count(*) FILTER (WHERE visible_at <= ${now}) AS visible,
        count(*) FILTER (WHERE visible_at > ${now} AND receipt IS NOT NULL) AS in_flight,
        count(*) FILTER (WHERE visible_at > ${now} AND receipt IS NULL) AS delayed
      FROM messages WHERE queue = ${queue.id}`
    return { visible: Number(row?.visible), inFlight: Number(row?.in_flight), delayed: Number(row?.delayed) }
  }
}

type Row = Readonly<Record<string, SQLOutputValue>>

function queueOf(row: Row): Queue {
  return {
    id: Number(row.id),
    name: String(row.name),
    attributes: JSON.parse(String(row.attributes)),
    tags: JSON.parse(String(row.tags)),
    createdAt: Number(row.created_at),
    modifiedAt: Number(row.modified_at),
  }
}

function messageOf(row: Row): StoredMessage {
  return {
    sequence: Number(row.sequence),
    id: String(row.id),
    body: String(row.body),
    attributes: JSON.parse(String(row.attributes)),
    groupId: optionalText(row.group_id),
    deduplicationId: optionalText(row.deduplication_id),
    sourceArn: optionalText(row.source_arn),
    sentAt: Number(row.sent_at),
    visibleAt: Number(row.visible_at),
    receives: Number(row.receives),
    firstReceivedAt: Number(row.first_received_at),
    receivedAt: Number(row.received_at),
    receipt: optionalText(row.receipt),
  }
}

function optionalText(value: SQLOutputValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}
