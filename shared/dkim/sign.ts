import { createHash, type KeyObject, sign } from 'node:crypto'
import type { DomainName } from '../address/domain-name.ts'
import { DAY, type Instant, SECOND } from '../base/clock.ts'
import { asBuffer, findHeaderSection, readRawFields } from '../message/header-section.ts'
import { canonicalizeField, hashBody } from './canonicalization.ts'
import type { DkimAlgorithm } from './dkim-key.ts'

/** One signature to be made. */
export interface Signer {
  readonly domain: DomainName
  readonly selector: string
  readonly algorithm: DkimAlgorithm
  readonly privateKey: KeyObject
}

/**
 * The fields that a reader sees or answers to. Each is signed once more than it is there, so that nobody can add
 * another one (RFC 6376 §8.15).
 */
const SIGNED_FIELDS = [
  'From',
  'To',
  'Cc',
  'Bcc',
  'Reply-To',
  'References',
  'In-Reply-To',
  'Subject',
  'Date',
  'Message-ID',
  'Content-Type',
] as const

/** A relay may keep mail for days before it is verified. */
const VALID_MS = 7 * DAY
const LINE = 72

/**
 * The DKIM-Signature fields of a message (RFC 6376, RFC 8463), to be put before it, one for each signer. Its lines end
 * in CRLF; whitespace may change on the way (relaxed/relaxed).
 */
export async function dkimSignatures(
  content: Uint8Array,
  signers: readonly Signer[],
  at: Instant,
): Promise<string> {
  const message = asBuffer(content)
  const { header, bodyStart } = findHeaderSection(message, 0)
  const fields = readRawFields(message, header).map(({ name, range }) => ({
    name,
    text: message.toString('latin1', range.start, range.end),
  }))
  const bodyHash = await hashBody(message.subarray(bodyStart), 'relaxed', goOn)
  return signers.map((signer) => signatureField(fields, bodyHash.toString('base64'), signer, at)).join('')
}

/** Nobody else waits for a turn. */
async function goOn(): Promise<void> {}

/** As it stands in the message, each octet as one character; its name in lower case besides. */
interface Field {
  readonly name: string
  readonly text: string
}

function signatureField(
  fields: readonly Field[],
  bodyHash: string,
  { domain, selector, algorithm, privateKey }: Signer,
  at: Instant,
): string {
  const signed = SIGNED_FIELDS.map((name) => ({
    name,
    there: fields.filter((field) => field.name === name.toLowerCase()),
  }))
  const names = signed.flatMap(({ name, there }) => Array<string>(there.length + 1).fill(name))
  const unsigned = [
    ` v=1; a=${algorithm}; c=relaxed/relaxed; d=${domain}; s=${selector};`,
    ` t=${Math.floor(at / SECOND)}; x=${Math.floor((at + VALID_MS) / SECOND)};`,
    ` h=${folded(names, ':')};`,
    ` bh=${bodyHash};`,
    ' b=',
  ].join('\r\n\t')
  const text = [
    // RFC 6376 §5.4.2: of several, from the last to the first; of those beyond, nothing.
    ...signed.flatMap(({ there }) =>
      there.toReversed().map(({ text }) => canonicalizeField(text, 'relaxed')),
    ),
    canonicalizeField(`DKIM-Signature:${unsigned}`, 'relaxed'),
  ].join('\r\n')
  const signature = signText(algorithm, privateKey, Buffer.from(text, 'latin1'))
  return `DKIM-Signature:${unsigned}${folded(signature.match(/.{1,4}/g) ?? [], '')}\r\n`
}

/** Ed25519 signs the hash of what RSA signs (RFC 8463 §3). */
function signText(algorithm: DkimAlgorithm, privateKey: KeyObject, text: Buffer): string {
  const signature =
    algorithm === 'rsa-sha256'
      ? sign('sha256', text, privateKey)
      : sign(null, createHash('sha256').update(text).digest(), privateKey)
  return signature.toString('base64')
}

/** Puts words on lines that are not too long; a line break may stand after a separator. */
function folded(words: readonly string[], separator: string): string {
  let line = ''
  const lines: string[] = []
  for (const [place, word] of words.entries()) {
    const next = place < words.length - 1 ? `${word}${separator}` : word
    if (line.length + next.length > LINE) {
      lines.push(line)
      line = ''
    }
    line += next
  }
  return [...lines, line].join('\r\n\t ')
}
