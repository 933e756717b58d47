import * as z from 'zod/mini'
import { LARGEST_EXTRA, LARGEST_SUBJECT } from '../queue/submission-limits.ts'
import { ApiError } from './api-error.ts'
import type { CallBody, UploadedFile } from './call-body.ts'
import { list, parseRequest, record, text } from './json-request.ts'

/** A name and an address. */
export const nameAddress = record({ Name: text, Address: text })
/** A file that goes with a message. */
export const file = record({ Name: text, ContentType: text, ContentID: text, Data: text, UploadID: text })

/** The parameters of Send. */
export const sendRequest = record({
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

/** A file as it was given: with its data, or by the id of an upload. */
export interface SendFile {
  /** Its place in the request, for error texts. */
  readonly field: string
  readonly name: string
  readonly contentType: string
  readonly contentId: string
  readonly source:
    | { readonly kind: 'data'; readonly data: Uint8Array }
    | { readonly kind: 'upload'; readonly id: string }
}

/** Files by the place they take in the message: those of the JSON first, then those that came with the form. */
export interface SendFiles {
  readonly alternativeFiles: readonly SendFile[]
  readonly inlineFiles: readonly SendFile[]
  readonly attachedFiles: readonly SendFile[]
}

/** The form fields that hold files. */
export const UPLOAD_FIELDS = ['alternativefile', 'inlinefile', 'attachedfile'] as const

/** Reads the parameters of Send. */
export function readSendRequest(body: CallBody): {
  readonly request: SendRequest
  readonly files: SendFiles
} {
  const request = parseRequest(sendRequest, body.json)
  refuseLonger('Subject', request.Subject, LARGEST_SUBJECT)
  refuseLonger('Extra', JSON.stringify(request.Extra), LARGEST_EXTRA)
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

function refuseLonger(field: string, text: string, most: number): void {
  const octets = Buffer.byteLength(text)
  if (octets > most) throw new ApiError('user', `${field}: has ${octets} octets, of at most ${most}`)
}

function filesOf(
  name: string,
  inJson: SendRequest['AttachedFiles'],
  field: (typeof UPLOAD_FIELDS)[number],
  uploads: readonly UploadedFile[],
): SendFile[] {
  return [
    ...inJson.map(({ Name, ContentType, ContentID, ...given }, place) => ({
      field: `${name}[${place}]`,
      name: Name,
      contentType: ContentType,
      contentId: ContentID,
      source: sourceOf(`${name}[${place}]`, given),
    })),
    ...uploads
      .filter((upload) => upload.field === field)
      .map(({ data, ...named }) => ({ ...named, source: { kind: 'data', data } as const })),
  ]
}

function sourceOf(
  field: string,
  { Data, UploadID }: { readonly Data: string; readonly UploadID: string },
): SendFile['source'] {
  if (UploadID === '') return { kind: 'data', data: fromBase64(`${field}.Data`, Data) }
  if (Data === '') return { kind: 'upload', id: UploadID }
  throw new ApiError('user', `${field}: Data and UploadID: only one of them`)
}

/** RFC 4648 §4 with padding; line breaks may stand between. */
function fromBase64(field: string, data: string): Uint8Array {
  const packed = data.replace(/[\r\n]/g, '')
  if (packed.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(packed)) {
    throw new ApiError('user', `${field}: must be base64 with padding`)
  }
  return Buffer.from(packed, 'base64')
}
