import * as z from 'zod/mini'
import type { AttachedFile } from '../message/compose-content.ts'
import { ApiError } from './api-error.ts'
import type { CallBody, UploadedFile } from './call-body.ts'
import { list, parseRequest, record, text } from './json-request.ts'

const nameAddress = record({ Name: text, Address: text })
const file = record({ Name: text, ContentType: text, ContentID: text, Data: text })

const sendRequest = record({
  From: list(nameAddress),
  To: list(nameAddress),
  CC: list(nameAddress),
  BCC: list(nameAddress),
  ReplyTo: list(nameAddress),
  MessageID: text,
  References: list(z.string()),
  Date: z.optional(z.string()),
  Subject: text,
  Text: text,
  HTML: text,
  Extra: z._default(z.record(z.string(), z.string()), {}),
  Headers: list(z.array(z.string())),
  AlternativeFiles: list(file),
  InlineFiles: list(file),
  AttachedFiles: list(file),
  RequireTLS: z.optional(z.boolean()),
  FutureRelease: z.optional(z.string()),
  SaveSent: z._default(z.boolean(), false),
})

/** The parameters of Send, as the caller gave them. */
export type SendRequest = z.output<typeof sendRequest>

/** An address as the caller gave it. */
export type RequestAddress = SendRequest['To'][number]

/** Files by the place they take in the message: those of the JSON first, then those that were uploaded. */
export interface SendFiles {
  readonly alternativeFiles: readonly AttachedFile[]
  readonly inlineFiles: readonly AttachedFile[]
  readonly attachedFiles: readonly AttachedFile[]
}

const UPLOAD_FIELDS = ['alternativefile', 'inlinefile', 'attachedfile'] as const

/** Reads the parameters of Send and refuses what is not built yet, rather than ignoring it. */
export function readSendRequest(body: CallBody): {
  readonly request: SendRequest
  readonly files: SendFiles
} {
  const request = parseRequest(sendRequest, body.json)
  refuseUnsupported(request)
  const unknown = body.files.find(({ field }) => !UPLOAD_FIELDS.some((name) => name === field))
  if (unknown) throw new ApiError('protocol', `unknown form field ${unknown.field}`)
  return {
    request,
    files: {
      alternativeFiles: filesOf('AlternativeFiles', request.AlternativeFiles, 'alternativefile', body.files),
      inlineFiles: filesOf('InlineFiles', request.InlineFiles, 'inlinefile', body.files),
      attachedFiles: filesOf('AttachedFiles', request.AttachedFiles, 'attachedfile', body.files),
    },
  }
}

function refuseUnsupported(request: SendRequest): void {
  const wanted = [
    ['RequireTLS', request.RequireTLS !== undefined],
    ['FutureRelease', request.FutureRelease !== undefined],
    ['SaveSent', request.SaveSent],
  ] as const
  for (const [field, isWanted] of wanted) {
    if (isWanted) throw new ApiError('user', `${field}: not supported yet`)
  }
}

function filesOf(
  name: string,
  inJson: SendRequest['AttachedFiles'],
  field: (typeof UPLOAD_FIELDS)[number],
  uploads: readonly UploadedFile[],
): AttachedFile[] {
  return [
    ...inJson.map(({ Name, ContentType, ContentID, Data }, place) => ({
      name: Name,
      contentType: ContentType,
      contentId: ContentID,
      data: fromBase64(`${name}[${place}].Data`, Data),
    })),
    ...uploads.filter((upload) => upload.field === field),
  ]
}

/** RFC 4648 §4 with padding; line breaks may stand between. */
function fromBase64(field: string, data: string): Uint8Array {
  const packed = data.replace(/[\r\n]/g, '')
  if (packed.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(packed)) {
    throw new ApiError('user', `${field}: must be base64 with padding`)
  }
  return Buffer.from(packed, 'base64')
}
