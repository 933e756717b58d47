import { asBuffer, firstValue, type HeaderField, readHeaderFields } from '../message/header-section.ts'
import { decodePart, type MimePart } from '../message/mime-tree.ts'
import { stripComments } from '../message/structured-field.ts'
import { oneLine } from './one-line.ts'
import { type DsnRecipient, describeRecipient } from './recipient.ts'

/** The content of a message/delivery-status part (RFC 3464 §2.1); empty texts are not told. */
export interface DeliveryStatus {
  readonly reportingMta: string
  readonly originalEnvelopeId: string
  readonly recipients: readonly DsnRecipient[]
}

/** Octets that are read; a recipient takes some 300. */
const MAX_STATUS = 1 << 19
/** Recipients beyond are left out. */
const MAX_RECIPIENTS = 1000
const MAX_FIELD = 4096
const MAX_NAME = 500

/**
 * Reads the part leniently: fields may be missing or repeated (the first counts), blank lines may be missing or
 * too many. Never throws.
 */
export function readDeliveryStatus(bytes: Uint8Array, part: MimePart): DeliveryStatus {
  const blocks = readBlocks(bytes, part)
  const fields = blocks.flat()
  return {
    reportingMta: readName(firstValue(fields, 'reporting-mta') ?? ''),
    originalEnvelopeId: oneLine(firstValue(fields, 'original-envelope-id') ?? '', MAX_NAME),
    recipients: groupByRecipient(blocks).slice(0, MAX_RECIPIENTS).map(readRecipient),
  }
}

type Block = readonly HeaderField[]

function readBlocks(bytes: Uint8Array, part: MimePart): readonly Block[] {
  const { start, end } = part.body
  const body = { start, end: Math.min(end, start + MAX_STATUS) }
  const content = asBuffer(decodePart(bytes, { ...part, body }))
  const texts = ['']
  for (const line of content.toString('latin1').split('\n')) {
    if (line.trim() === '') texts.push('')
    else texts.push(`${texts.pop()}${line}\n`)
  }
  const blocks = texts
    .filter((text) => text !== '')
    .map((text) => readHeaderFields(Buffer.from(text, 'latin1'), { start: 0, end: text.length }))
  // Where the blank line behind the header of the part is missing, the first block is in the header.
  return [readHeaderFields(asBuffer(bytes), part.header), ...blocks]
}

/** Fields of one recipient by name; of a repeated field the first. */
type RecipientFields = Map<string, string>

const IDENTITY = ['final-recipient', 'original-recipient']
const STATE = ['action', 'status', 'diagnostic-code']

/**
 * A block is a recipient if it names one. Blocks that name none go on with the one before; other names than
 * before in the same block begin the next.
 */
function groupByRecipient(blocks: readonly Block[]): readonly RecipientFields[] {
  const groups: RecipientFields[] = []
  for (const block of blocks) {
    const hasName = block.some(({ name }) => IDENTITY.includes(name))
    const current = groups.at(-1)
    const isNext = current === undefined ? hasName || hasState(block) : hasName && isNamed(current)
    if (isNext) groups.push(new Map())
    for (const { name, value } of block) addField(groups, name, value.slice(0, MAX_FIELD))
  }
  return groups
}

function addField(groups: RecipientFields[], name: string, value: string): void {
  const current = groups.at(-1)
  const known = current?.get(name)
  if (known === undefined) current?.set(name, value)
  else if (IDENTITY.includes(name) && !isSameAddress(known, value)) groups.push(new Map([[name, value]]))
}

function hasState(block: Block): boolean {
  return block.some(({ name }) => STATE.includes(name))
}

function isNamed(fields: RecipientFields): boolean {
  return IDENTITY.some((name) => fields.has(name))
}

function isSameAddress(one: string, other: string): boolean {
  return one === other || readAddress(one).toLowerCase() === readAddress(other).toLowerCase()
}

function readRecipient(fields: RecipientFields): DsnRecipient {
  const diagnostic = splitType(fields.get('diagnostic-code') ?? '')
  return describeRecipient({
    finalRecipient: readAddress(fields.get('final-recipient') ?? ''),
    originalRecipient: readAddress(fields.get('original-recipient') ?? ''),
    action: stripComments(fields.get('action') ?? '').trim(),
    status: stripComments(fields.get('status') ?? ''),
    diagnostic: diagnostic.text,
    reply: ['', 'smtp', 'lmtp'].includes(diagnostic.type) ? diagnostic.text : '',
    remoteMta: readName(fields.get('remote-mta') ?? ''),
    willRetry: fields.has('will-retry-until'),
  })
}

/** `rfc822; user@domain` (RFC 3464 §2.3.2); addresses of other worlds count if they look like ours. */
function readAddress(value: string): string {
  const { type, text } = splitType(stripComments(value))
  const [, bare = text] = /^<(.*)>$/s.exec(text) ?? []
  const address = oneLine(type === 'utf-8' ? decodeUnitext(bare) : bare, MAX_NAME)
  return ['', 'rfc822', 'utf-8'].includes(type) || address.includes('@') ? address : ''
}

/** `dns; host.example (comment)` */
function readName(value: string): string {
  return oneLine(splitType(stripComments(value.slice(0, MAX_FIELD))).text, MAX_NAME)
}

interface TypedValue {
  /** Lower case; empty if missing. */
  readonly type: string
  readonly text: string
}

function splitType(value: string): TypedValue {
  const [, type = '', text = value] = /^\s*([A-Za-z][A-Za-z0-9-]*)\s*;(.*)$/s.exec(value) ?? []
  return { type: type.toLowerCase(), text: text.trim() }
}

/** RFC 6533 §3: how an address is written where only ASCII may stand. */
function decodeUnitext(text: string): string {
  return text.replace(/\\x\{([0-9A-Fa-f]{2,6})\}/g, (sequence, hex: string) => {
    const point = Number.parseInt(hex, 16)
    return point <= 0x10ffff ? String.fromCodePoint(point) : sequence
  })
}
