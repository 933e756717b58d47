import { createPublicKey, type KeyObject } from 'node:crypto'
import type { Resolver } from '../dns/resolver.ts'
import { ALGORITHMS, type DkimProblem, type DkimSignature } from './dkim-signature.ts'
import { parseTagList, splitTagValue } from './tag-list.ts'

/** A public key that may verify a signature (RFC 6376 §3.6.1). */
export interface DkimKey {
  readonly publicKey: KeyObject
  /** Of RSA keys. */
  readonly bits?: number
  /** s=; left out, or with `*` in it: for all. */
  readonly services?: readonly string[]
}

/** What came of looking for a key. */
export interface FoundKey {
  readonly key?: DkimKey
  readonly problem?: DkimProblem
  /** The domain only tests DKIM (t=y): what does not pass is to count as not signed. */
  readonly isTest: boolean
  readonly authentic: boolean
}

/** What a signature says of the key that it needs. */
type KeyUse = Pick<DkimSignature, 'selector' | 'domain' | 'algorithm' | 'identityDomain'>

/** What is published for whoever signs with a selector. */
export interface PublishedKey extends FoundKey {
  /** The key record. */
  readonly text?: string
}

interface KeyRecord {
  readonly tags: Tags
  readonly text: string
}

/** RFC 8301 §3.2. */
const LEAST_RSA_BITS = 1024
/** What comes before the octets of an Ed25519 key in a SubjectPublicKeyInfo (RFC 8410 §10.1). */
const ED25519_SPKI = Buffer.from('302a300506032b6570032100', 'hex')

type Tags = ReadonlyMap<string, string>

/** What a key record must say for a signature, in the order in which it is looked at. */
const RULES: readonly (readonly [problem: string, isBroken: (tags: Tags, use: KeyUse) => boolean])[] = [
  ['the key does not allow sha256', (tags) => !allows(tags.get('h'), ['sha256'])],
  ['the key is for another algorithm', (tags, { algorithm }) => algorithm !== algorithmOf(tags)],
  ['the key was revoked', (tags) => tags.get('p') === ''],
  [
    'the key is for d= itself only',
    (tags, { identityDomain, domain }) => flags(tags).includes('s') && identityDomain !== domain,
  ],
]

/**
 * Looks up the key of a signature (RFC 6376 §6.1.2). Records that are no key records count as none: with a wildcard
 * record in the DNS any selector leads to one, and a temporary error would then be at a forger's choice.
 */
export async function findKey(resolver: Resolver, use: KeyUse): Promise<FoundKey> {
  const { record, ...found } = await findRecord(resolver, use)
  return record ? judge(record.tags, use, found.authentic) : { ...found, isTest: false }
}

/** Looks up a key as a signature of the domain itself would need it, of the key's algorithm where that is known. */
export async function lookUpKey(
  resolver: Resolver,
  { selector, domain }: Pick<KeyUse, 'selector' | 'domain'>,
): Promise<PublishedKey> {
  const { record, ...found } = await findRecord(resolver, { selector, domain })
  if (!record) return { ...found, isTest: false }
  const algorithm = ALGORITHMS.find((each) => each === algorithmOf(record.tags)) ?? ''
  const use = { selector, domain, identityDomain: domain, algorithm }
  return { text: record.text, ...judge(record.tags, use, found.authentic) }
}

async function findRecord(
  resolver: Resolver,
  { selector, domain }: Pick<KeyUse, 'selector' | 'domain'>,
): Promise<{ readonly record?: KeyRecord; readonly problem?: DkimProblem; readonly authentic: boolean }> {
  const answer = await resolver.lookUp('TXT', `${selector}._domainkey.${domain}`)
  if (answer.kind === 'failed') {
    return { problem: { result: 'temperror', problem: answer.error }, authentic: false }
  }
  const { authentic } = answer
  const texts = answer.kind === 'found' ? answer.values : []
  const records = texts.flatMap((text) => {
    const tags = readKeyRecord(text)
    return tags ? [{ tags, text }] : []
  })
  const [record] = records
  if (!record) return { problem: permanent('no key record'), authentic }
  if (records.length > 1) return { problem: permanent('several key records'), authentic }
  return { record, authentic }
}

function judge(tags: Tags, use: KeyUse, authentic: boolean): FoundKey {
  const isTest = flags(tags).includes('y')
  const broken = RULES.find(([, isBroken]) => isBroken(tags, use))
  if (broken) return { problem: permanent(broken[0]), isTest, authentic }
  return { ...readKey(tags), isTest, authentic }
}

function permanent(problem: string): DkimProblem {
  return { result: 'permerror', problem }
}

/** v= comes first or not at all, and there is a key, or an empty one. */
function readKeyRecord(text: string): Tags | undefined {
  const tags = parseTagList(text)
  const version = tags?.get('v')
  if (!tags?.has('p') || (version !== undefined && version !== 'DKIM1')) return undefined
  return version === undefined || [...tags.keys()][0] === 'v' ? tags : undefined
}

function readKey(tags: Tags): Pick<FoundKey, 'key' | 'problem'> {
  const text = (tags.get('p') ?? '').replace(/[ \t\r\n]+/g, '')
  const isRsa = algorithmOf(tags) === 'rsa-sha256'
  const publicKey = isRsa
    ? readRsaKey(Buffer.from(text, 'base64'))
    : readEd25519Key(Buffer.from(text, 'base64'))
  if (!publicKey || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return { problem: permanent('malformed key') }
  const bits = publicKey.asymmetricKeyDetails?.modulusLength
  if (isRsa && (bits ?? 0) < LEAST_RSA_BITS) return { problem: permanent(`the key has only ${bits} bits`) }
  const services = tags.get('s')
  return {
    key: {
      publicKey,
      ...(bits !== undefined && { bits }),
      ...(services !== undefined && { services: splitTagValue(services) }),
    },
  }
}

/** Says whether a key may sign for a service, such as `email`, or `tlsrpt` for reports (RFC 8460 §3). */
export function isKeyFor({ services }: Pick<DkimKey, 'services'>, service: string): boolean {
  return services === undefined || services.includes('*') || services.includes(service)
}

/** A SubjectPublicKeyInfo, as everybody publishes it, or the bare RSAPublicKey that RFC 6376 §3.6.1 speaks of. */
function readRsaKey(key: Buffer): KeyObject | undefined {
  const found = readDer(key, 'spki') ?? readDer(key, 'pkcs1')
  return found?.asymmetricKeyType === 'rsa' ? found : undefined
}

/** RFC 8463 §4: the bare 32 octets. */
function readEd25519Key(key: Buffer): KeyObject | undefined {
  return key.length === 32 ? readDer(Buffer.concat([ED25519_SPKI, key]), 'spki') : undefined
}

function readDer(key: Buffer, type: 'spki' | 'pkcs1'): KeyObject | undefined {
  try {
    return createPublicKey({ key, format: 'der', type })
  } catch {
    return undefined
  }
}

/** What signatures by the key are made with; the hash is the only one that we know. */
function algorithmOf(tags: Tags): string {
  return `${(tags.get('k') ?? 'rsa').toLowerCase()}-sha256`
}

/** Left out allows everything. */
function allows(list: string | undefined, any: readonly string[]): boolean {
  return list === undefined || splitTagValue(list).some((item) => any.includes(item))
}

function flags(tags: Tags): readonly string[] {
  return splitTagValue(tags.get('t') ?? '')
}
