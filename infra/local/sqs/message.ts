import { createHash } from 'node:crypto'
import type { JsonObject, ServiceError } from '../gateway/json-service.ts'
import {
  invalidParameter,
  missingParameter,
  optionalObject,
  optionalText,
  requiredText,
  sqsError,
} from './input.ts'

/** A user attribute of a message; `BinaryValue` stays base64, as the JSON protocol carries it. */
interface MessageAttribute {
  readonly DataType: string
  readonly StringValue?: string
  readonly BinaryValue?: string
}

/** User attributes of a message, by name. */
export type MessageAttributes = Readonly<Record<string, MessageAttribute>>

/** What a caller asks to send, its contents checked (SQS SendMessage). */
export interface MessageDraft {
  readonly body: string
  readonly attributes: MessageAttributes
  readonly groupId: string | undefined
  readonly deduplicationId: string | undefined
  readonly sizeBytes: number
}

/** Reads a message to send and checks its contents: allowed characters, attributes, ids. */
export function readMessage(input: JsonObject): MessageDraft {
  if (Object.keys(optionalObject(input, 'MessageSystemAttributes')).length > 0) {
    throw sqsError('UnsupportedOperation', 'MessageSystemAttributes is not supported by the local queue.')
  }
  const body = requiredText(input, 'MessageBody')
  if (FORBIDDEN_CHARACTER.test(body)) throw invalidContents('message body')
  const attributes = readAttributes(input)
  return {
    body,
    attributes,
    groupId: readId(input, 'MessageGroupId'),
    deduplicationId: readId(input, 'MessageDeduplicationId'),
    sizeBytes: messageBytes(body, attributes),
  }
}

/** Bytes that count against the size limits: the body, and of each attribute its name, type and value. */
export function messageBytes(body: string, attributes: MessageAttributes): number {
  const parts = Object.entries(attributes).flatMap(([name, attribute]) => [
    Buffer.byteLength(name),
    Buffer.byteLength(attribute.DataType),
    valueBytes(attribute).length,
  ])
  return parts.reduce((sum, bytes) => sum + bytes, Buffer.byteLength(body))
}

/** `MD5OfMessageBody`: over the UTF-8 body. */
export function md5OfBody(body: string): string {
  return createHash('md5').update(body).digest('hex')
}

/**
 * `MD5OfMessageAttributes`, undefined where there are none (SQS Developer Guide, "Calculating the MD5 message
 * digest for message attributes").
 */
export function md5OfAttributes(attributes: MessageAttributes): string | undefined {
  const entries = Object.entries(attributes).sort(([a], [b]) =>
    Buffer.compare(Buffer.from(a), Buffer.from(b)),
  )
  if (entries.length === 0) return undefined
  const hash = createHash('md5')
  for (const [name, attribute] of entries) {
    hash.update(lengthAndBytes(Buffer.from(name))).update(lengthAndBytes(Buffer.from(attribute.DataType)))
    hash.update(Buffer.of(isBinary(attribute.DataType) ? 2 : 1)).update(lengthAndBytes(valueBytes(attribute)))
  }
  return hash.digest('hex')
}

/** The attributes a receiver asked for by `MessageAttributeNames`: a name, `prefix.*`, `.*` or `All`. */
export function selectAttributes(
  attributes: MessageAttributes,
  wanted: readonly string[],
): MessageAttributes {
  const all = wanted.includes('All') || wanted.includes('.*')
  const prefixes = wanted.filter((name) => name.endsWith('.*')).map((name) => name.slice(0, -1))
  const isWanted = (name: string) =>
    all || wanted.includes(name) || prefixes.some((prefix) => name.startsWith(prefix))
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => isWanted(name)))
}

// SendMessage: #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF
const FORBIDDEN_CHARACTER = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u

const MAX_ATTRIBUTES = 10

function readAttributes(input: JsonObject): MessageAttributes {
  const given = optionalObject(input, 'MessageAttributes')
  const names = Object.keys(given)
  if (names.length > MAX_ATTRIBUTES) {
    throw sqsError('InvalidParameterValue', `Number of message attributes [${names.length}] exceeds 10.`)
  }
  return Object.fromEntries(
    names.map((name) => [checkedName(name), readAttribute(name, optionalObject(given, name))]),
  )
}

function readAttribute(name: string, given: JsonObject): MessageAttribute {
  const DataType = requiredText(given, 'DataType')
  if (!/^(?:String|Number|Binary)(?:\..+)?$/.test(DataType) || DataType.length > 256) {
    throw refusedAttribute(name, 'must have type String, Number or Binary, with an optional label')
  }
  const field = isBinary(DataType) ? 'BinaryValue' : 'StringValue'
  const value = optionalText(given, field)
  if (value === undefined || value === '') throw refusedAttribute(name, `must have a non-empty ${field}`)
  if (field === 'BinaryValue') return { DataType, BinaryValue: value }
  if (FORBIDDEN_CHARACTER.test(value)) throw invalidContents(`message attribute '${name}'`)
  if (DataType.startsWith('Number') && !/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(value)) {
    throw refusedAttribute(name, 'must be a number')
  }
  return { DataType, StringValue: value }
}

function checkedName(name: string): string {
  const wellFormed = /^[\w-]+(?:\.[\w-]+)*$/.test(name) && name.length <= 256
  if (!wellFormed || /^(?:aws|amazon)\./i.test(name)) throw refusedAttribute(name, 'has a name SQS refuses')
  return name
}

function readId(input: JsonObject, name: string): string | undefined {
  const id = optionalText(input, name)
  if (id === undefined) return undefined
  if (id === '') throw missingParameter(name)
  // '!' to '~' are just the alphanumeric and punctuation characters that SQS lists.
  if (!/^[!-~]{1,128}$/.test(id)) {
    const allowed = 'alphanumeric and punctuation characters, 1 to 128 in length.'
    throw invalidParameter(name, id, `${name} can only include ${allowed}`)
  }
  return id
}

function isBinary(dataType: string): boolean {
  return dataType.startsWith('Binary')
}

function valueBytes(attribute: MessageAttribute): Uint8Array {
  return isBinary(attribute.DataType)
    ? Buffer.from(attribute.BinaryValue ?? '', 'base64')
    : Buffer.from(attribute.StringValue ?? '')
}

function lengthAndBytes(bytes: Uint8Array): Uint8Array {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

function refusedAttribute(name: string, reason: string): ServiceError {
  return sqsError('InvalidParameterValue', `The message attribute '${name}' ${reason}.`)
}

function invalidContents(where: string): ServiceError {
  return sqsError('InvalidMessageContents', `The ${where} contains characters outside the allowed set.`)
}
