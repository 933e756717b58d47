import * as z from 'zod/mini'
import { formatInstant, HOUR } from '../base/clock.ts'
import type { CallContext, CallResult } from './call-context.ts'
import { parseRequest, record } from './json-request.ts'

const UPLOAD_LASTS_MS = HOUR

/** The parameters of UploadCreate: none. */
export const uploadCreateRequest = record({})

/** What UploadCreate answers. */
export const uploadCreateResult = z.strictObject({
  UploadID: z.string(),
  URL: z.string(),
  Expires: z.iso.datetime(),
})

/** UploadCreate: a URL to which a file is PUT that does not fit into a Send; the Send names it by the UploadID. */
export async function uploadCreate({ ports, login, body }: CallContext): Promise<CallResult> {
  parseRequest(uploadCreateRequest, body.json)
  const id = Buffer.from(ports.random.bytes(18)).toString('base64url')
  const expiresAt = ports.clock.now() + UPLOAD_LASTS_MS
  const url = await ports.uploads.create(login.name, id, expiresAt)
  return { kind: 'json', value: { UploadID: id, URL: url, Expires: formatInstant(expiresAt) } }
}
