import { createHash, verify } from 'node:crypto'
import type { Clock } from '../base/clock.ts'
import { type Canonicalization, canonicalizeField, hashBody } from '../dkim/canonicalization.ts'
import type { Resolver } from '../dns/resolver.ts'
import { asBuffer, findHeaderSection, readRawFields } from '../message/header-section.ts'
import type { DkimResult } from './authentication.ts'
import { type DkimKey, findKey, isKeyFor } from './dkim-key.ts'
import { type DkimProblem, type DkimSignature, readSignature } from './dkim-signature.ts'
import { inTime, type TimePorts } from './in-time.ts'

export interface VerifyDkimPorts extends TimePorts {
  readonly resolver: Resolver
  readonly clock: Clock
}

/** Who adds more does it to keep us busy; further ones are not looked at. */
const MOST_SIGNATURES = 10

const BROKEN_HEADER: DkimResult = {
  result: 'permerror',
  problem: 'the header has a line that is no field',
  authentic: false,
}
const NOT_FOR_MAIL: DkimProblem = { result: 'permerror', problem: 'the key is not for mail' }

/** A message as its signatures see it. */
interface SignedMessage {
  /** The fields by name, in their order, each octet as one character. */
  readonly fields: ReadonlyMap<string, readonly string[]>
  /** The body's hash, made once. */
  bodyHash(canonicalization: Canonicalization): Promise<Buffer>
}

/** Verifies the first ten signatures of a message (RFC 6376 §6, RFC 8463), one result each. Resolves always. */
export async function verifyDkim(
  ports: VerifyDkimPorts,
  content: Uint8Array,
): Promise<readonly DkimResult[]> {
  const message = readMessage(ports, asBuffer(content))
  const fields = (message.fields.get('dkim-signature') ?? []).slice(0, MOST_SIGNATURES)
  // A reader may take such a line for the end of the header, and what follows for the body.
  if (message.fields.has('')) return fields.map(() => BROKEN_HEADER)
  return await Promise.all(fields.map((field) => verifyField(ports, message, field)))
}

function readMessage({ wait }: TimePorts, message: Buffer): SignedMessage {
  const { header, bodyStart } = findHeaderSection(message, 0)
  const fields = new Map<string, string[]>()
  for (const { name, range } of readRawFields(message, header)) {
    const text = message.toString('latin1', range.start, range.end)
    const same = fields.get(name)
    if (same) same.push(text)
    else fields.set(name, [text])
  }
  const hashes = new Map<Canonicalization, Promise<Buffer>>()
  const pause = () => wait(0, new AbortController().signal)
  return {
    fields,
    bodyHash(canonicalization) {
      const hash =
        hashes.get(canonicalization) ?? hashBody(message.subarray(bodyStart), canonicalization, pause)
      hashes.set(canonicalization, hash)
      return hash
    },
  }
}

async function verifyField(
  ports: VerifyDkimPorts,
  message: SignedMessage,
  field: string,
): Promise<DkimResult> {
  const { signature, problem } = readSignature(field.slice(field.indexOf(':') + 1), ports.clock.now())
  const facts = signature ? factsOf(signature) : {}
  if (!signature || problem) {
    return { result: 'permerror', problem: 'unreadable', ...problem, ...facts, authentic: false }
  }
  return await inTime(
    ports,
    'dkim',
    async () => ({ ...facts, ...(await verifySignature(ports.resolver, message, field, signature)) }),
    (late) => ({ result: 'temperror', problem: late, ...facts, authentic: false }),
  )
}

function factsOf(signature: DkimSignature): Partial<DkimResult> {
  const { algorithm, domain, selector, identity, signatureText } = signature
  return { algorithm, domain, selector, identity, signature: signatureText }
}

async function verifySignature(
  resolver: Resolver,
  message: SignedMessage,
  field: string,
  signature: DkimSignature,
): Promise<Pick<DkimResult, 'result' | 'problem' | 'keyBits' | 'services' | 'authentic'>> {
  const { key, isTest, authentic, ...found } = await findKey(resolver, signature)
  const wrong = key ? await problemOf(message, field, signature, key) : found.problem
  const problem = wrong ?? (key && !isKeyFor(key, 'email') ? NOT_FOR_MAIL : undefined)
  const { bits: keyBits, services } = key ?? {}
  const facts = {
    ...(keyBits !== undefined && { keyBits }),
    ...(!wrong && services && { services }),
    authentic,
  }
  if (!problem) return { result: 'pass', problem: '', ...facts }
  // RFC 6376 §3.6.1: whoever tests is not to be treated otherwise than who does not sign.
  return { ...problem, ...(isTest && problem.result !== 'temperror' && { result: 'none' }), ...facts }
}

/** Undefined when the signature is of this message. The cheap half comes first. */
async function problemOf(
  { fields, bodyHash }: SignedMessage,
  field: string,
  signature: DkimSignature,
  { publicKey }: DkimKey,
): Promise<DkimProblem | undefined> {
  const signed = Buffer.from(signedText(fields, field, signature), 'latin1')
  const isRsa = publicKey.asymmetricKeyType === 'rsa'
  // RFC 8463 §3: Ed25519 signs the hash, as if it were the message.
  const isOurs = isRsa
    ? verify('sha256', signed, publicKey, signature.signature)
    : verify(null, createHash('sha256').update(signed).digest(), publicKey, signature.signature)
  if (!isOurs) return { result: 'fail', problem: 'the signature is not of this header' }
  const isSameBody = (await bodyHash(signature.body)).equals(signature.bodyHash)
  return isSameBody ? undefined : { result: 'fail', problem: 'the body was changed' }
}

/**
 * RFC 6376 §5.4.2, §3.7: the named fields, each from the bottom up; a name beyond them is of a field that must not
 * have been added; last the signature's own field without its b=.
 */
function signedText(fields: SignedMessage['fields'], own: string, signature: DkimSignature): string {
  const taken = new Map<string, number>()
  const lines = signature.signedFields.flatMap((name) => {
    const count = (taken.get(name) ?? 0) + 1
    taken.set(name, count)
    const field = fields.get(name)?.at(-count)
    return field === undefined ? [] : [`${canonicalizeField(field, signature.header)}\r\n`]
  })
  return `${lines.join('')}${canonicalizeField(withoutSignature(own), signature.header)}`
}

function withoutSignature(field: string): string {
  const colon = field.indexOf(':') + 1
  return field.slice(0, colon) + field.slice(colon).replace(/(^|;)([ \t\r\n]*b[ \t\r\n]*=)[^;]*/, '$1$2')
}
