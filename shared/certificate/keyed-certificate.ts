import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'

/** What a TLS server shows and proves that it owns, as PEM (RFC 7468). */
export interface KeyedCertificate {
  /** The server's own certificate, and after it those that lead to its authority. */
  readonly certificate: string
  /** PKCS #8 or an older form. */
  readonly privateKey: string
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]+?-----END \1-----/g

/**
 * Reads what an operator has put into a secret: PEM blocks, or JSON with the fields `certificate` and `privateKey`.
 * Throws an Error that names what is missing or does not fit; it never has a part of the key in it.
 */
export function readKeyedCertificate(text: string): KeyedCertificate {
  const blocks = [...pemText(text).matchAll(BLOCK)]
  const certificates = blocks.filter(([, label]) => label === 'CERTIFICATE').map(([block]) => block)
  const [privateKey, ...others] = blocks
    .filter(([, label = '']) => label.endsWith('PRIVATE KEY'))
    .map(([block]) => block)
  const [first] = certificates
  if (!first) throw new Error('the secret has no PEM block CERTIFICATE')
  if (!privateKey || others.length > 0) throw new Error('the secret must have one PEM block PRIVATE KEY')
  if (!readCertificate(first).checkPrivateKey(readKey(privateKey))) {
    throw new Error('the private key is not that of the first certificate')
  }
  return { certificate: `${certificates.join('\n')}\n`, privateKey: `${privateKey}\n` }
}

/** The PEM texts of a JSON object, or the text itself. */
function pemText(text: string): string {
  if (!text.trimStart().startsWith('{')) return text
  let fields: unknown
  try {
    fields = JSON.parse(text)
  } catch {
    throw new Error('the secret begins like a JSON object and is none')
  }
  const { certificate, privateKey } = fields as Record<string, unknown>
  if (typeof certificate !== 'string' || typeof privateKey !== 'string') {
    throw new Error('the JSON of the secret must have the texts "certificate" and "privateKey"')
  }
  return `${certificate}\n${privateKey}`
}

function readCertificate(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch {
    throw new Error('the first block CERTIFICATE cannot be read')
  }
}

function readKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch {
    throw new Error('the block PRIVATE KEY cannot be read; it must not be encrypted')
  }
}
