import { firstValue, readHeaderFields } from '../message/header-section.ts'
import { type MimePart, readMimeTree } from '../message/mime-tree.ts'
import { parseParameterized } from '../message/structured-field.ts'
import { ApiError } from './api-error.ts'

/** What a call carries: the JSON of its parameters, and files that were uploaded with it. */
export interface CallBody {
  readonly json: string
  readonly files: readonly UploadedFile[]
}

/** A file part of a multipart form. */
export interface UploadedFile {
  /** The name of the form field. */
  readonly field: string
  readonly name: string
  /** Empty when the part says none. */
  readonly contentType: string
  readonly contentId: string
  readonly data: Uint8Array
}

/** Reads the body of a call: a form with the field `request`, or that JSON itself. */
export function readCallBody(contentType: string, body: Uint8Array): CallBody {
  const mediaType = parseParameterized(contentType).value.toLowerCase()
  if (mediaType === 'application/json') return { json: Buffer.from(body).toString(), files: [] }
  if (mediaType === 'application/x-www-form-urlencoded') return { json: urlencodedRequest(body), files: [] }
  if (mediaType === 'multipart/form-data') return multipartBody(contentType, body)
  throw new ApiError(
    'protocol',
    'Content-Type: must be application/x-www-form-urlencoded, multipart/form-data or application/json',
  )
}

function urlencodedRequest(body: Uint8Array): string {
  return required(new URLSearchParams(Buffer.from(body).toString()).get('request'))
}

/** A form is MIME (RFC 7578 §4), so it is read as a message is: the parts' own Content-ID fields count. */
function multipartBody(contentType: string, body: Uint8Array): CallBody {
  const bytes = Buffer.concat([
    Buffer.from(`Content-Type: ${contentType.replace(/[\r\n]/g, ' ')}\r\n\r\n`),
    body,
  ])
  const form = readMimeTree(bytes)
  if (form.parts.length === 0)
    throw new ApiError('protocol', 'the multipart form has no parts, or no boundary')
  const parts = form.parts.map((part) => ({ part, field: fieldName(bytes, part) }))
  const request = parts.find(({ part, field }) => field === 'request' && part.filename === '')
  return {
    json: required(request && contentOf(bytes, request.part).toString()),
    files: parts.flatMap(({ part, field }) =>
      part === request?.part ? [] : [uploadedFile(bytes, part, field)],
    ),
  }
}

function uploadedFile(bytes: Buffer, part: MimePart, field: string): UploadedFile {
  const fields = readHeaderFields(bytes, part.header)
  return {
    field,
    name: part.filename,
    contentType: firstValue(fields, 'content-type') ?? '',
    contentId: firstValue(fields, 'content-id') ?? '',
    data: contentOf(bytes, part),
  }
}

function fieldName(bytes: Buffer, part: MimePart): string {
  const disposition = firstValue(readHeaderFields(bytes, part.header), 'content-disposition') ?? ''
  return parseParameterized(disposition).params.name ?? ''
}

function contentOf(bytes: Buffer, part: MimePart): Buffer {
  return bytes.subarray(part.body.start, part.body.end)
}

function required(request: string | null | undefined): string {
  if (!request) throw new ApiError('protocol', 'the form field "request" is missing or empty')
  return request
}
