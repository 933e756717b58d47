import { createHash, type KeyObject, sign } from 'node:crypto'

/** What to sign and how; text in which each character is an octet. */
export interface SigningRequest {
  /** Fields with their CRLF, the first line first. */
  readonly header: string
  readonly body: string
  readonly privateKey: KeyObject
  readonly domain?: string
  readonly selector?: string
  /** `relaxed/relaxed` where left out. */
  readonly canonicalization?: 'simple/simple' | 'simple/relaxed' | 'relaxed/simple' | 'relaxed/relaxed'
  readonly signedFields?: string
  readonly hash?: 'sha1' | 'sha256'
  /** In place of the usual tags or besides them; empty leaves the tag out. Signed as they are. */
  readonly tags?: Readonly<Record<string, string>>
}

/**
 * A message with a DKIM-Signature before it (RFC 6376), also with one that nobody should make. It shares no code with
 * what verifies.
 */
export function signDkim(request: SigningRequest): string {
  const { header, body, privateKey, signedFields = 'From:Subject', hash = 'sha256' } = request
  const canonicalization = request.canonicalization ?? 'relaxed/relaxed'
  const [headerWay, bodyWay] = canonicalization.split('/')
  const kind = privateKey.asymmetricKeyType
  const bodyHash = createHash(hash)
    .update(Buffer.from(bodyWay === 'simple' ? simpleBody(body) : relaxedBody(body), 'latin1'))
    .digest('base64')
  const tags = Object.entries({
    v: '1',
    a: `${kind}-${hash}`,
    c: canonicalization,
    d: request.domain ?? 'y.example',
    s: request.selector ?? 'sel',
    h: signedFields,
    bh: bodyHash,
    ...request.tags,
  }).filter(([, value]) => value !== '')
  const unsigned = `DKIM-Signature: ${tags.map(([name, value]) => `${name}=${value}`).join(';\r\n\t')};\r\n\tb=`
  const signed = [...chosen(header, signedFields), unsigned].map((field) =>
    headerWay === 'simple' ? field : relaxedField(field),
  )
  const octets = Buffer.from(signed.join('\r\n'), 'latin1')
  const signature =
    kind === 'rsa'
      ? sign(hash, octets, privateKey)
      : sign(null, createHash('sha256').update(octets).digest(), privateKey)
  return `${unsigned}${signature.toString('base64')}\r\n${header}\r\n${body}`
}

/** The public key as a key record has it. */
export function keyRecord(publicKey: KeyObject, tags = 'v=DKIM1'): string {
  const spki = publicKey.export({ format: 'der', type: 'spki' })
  const isRsa = publicKey.asymmetricKeyType === 'rsa'
  return `${tags}; k=${publicKey.asymmetricKeyType}; p=${(isRsa ? spki : spki.subarray(-32)).toString('base64')}`
}

/** Bottom up, and nothing for names that are there no more. */
function chosen(header: string, signedFields: string): readonly string[] {
  const left = header.split(/\r\n(?![ \t])/).filter((field) => field !== '')
  return signedFields.split(':').flatMap((name) => {
    const at = left.findLastIndex((field) => field.toLowerCase().startsWith(`${name.trim().toLowerCase()}:`))
    return at < 0 ? [] : left.splice(at, 1)
  })
}

function relaxedField(field: string): string {
  const [name = '', ...rest] = field.split(':')
  const value = rest.join(':').split(/[ \t\r\n]+/)
  return `${name.toLowerCase()}:${value.filter((word) => word !== '').join(' ')}`
}

function relaxedBody(body: string): string {
  const lines = body.split('\r\n').map((line) => line.replace(/[ \t]+/g, ' ').replace(/ $/, ''))
  while (lines.at(-1) === '') lines.pop()
  return lines.map((line) => `${line}\r\n`).join('')
}

function simpleBody(body: string): string {
  let end = body.length
  while (body.slice(end - 2, end) === '\r\n') end -= 2
  return `${body.slice(0, end)}\r\n`
}
