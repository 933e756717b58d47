import { createHash } from 'node:crypto'
import { type Address, formatAddress } from '../address/address.ts'
import type { SendFile, SendFiles, SendRequest } from './send-request.ts'

/**
 * SHA-256 of what a Send asks for, however it is written: the order of names, the encoding of the body and the
 * line breaks in base64 make no difference. The login counts, because it is the From of a request without one.
 */
export function requestHash(login: Address, request: SendRequest, files: SendFiles): string {
  const asked = {
    ...request,
    login: formatAddress(login),
    AlternativeFiles: files.alternativeFiles.map(withHashedData),
    InlineFiles: files.inlineFiles.map(withHashedData),
    AttachedFiles: files.attachedFiles.map(withHashedData),
  }
  return createHash('sha256').update(JSON.stringify(asked, sortedNames)).digest('base64url')
}

function withHashedData({ name, contentType, contentId, source }: SendFile): object {
  const named = { name, contentType, contentId }
  if (source.kind === 'upload') return { ...named, upload: source.id }
  return { ...named, data: createHash('sha256').update(source.data).digest('base64url') }
}

function sortedNames(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}
