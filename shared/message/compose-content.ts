import { createHash } from 'node:crypto'
import { buildHeaderValue } from 'nodemailer/lib/mime-funcs'
import MimeNode from 'nodemailer/lib/mime-node'
import { checkHeaderText } from './header-field.ts'
import { MessageSyntaxError } from './message-syntax-error.ts'
import { sniffContentType } from './sniff-content-type.ts'
import { encodeQuotedPrintable } from './transfer-encoding.ts'

/** A file that goes with a message. */
export interface AttachedFile {
  readonly name: string
  /** With parameters, if any; if empty the data tells. */
  readonly contentType: string
  /** Written as it is; no field if empty. */
  readonly contentId: string
  readonly data: Uint8Array
}

/** What the content of a message is made of. */
export interface DraftContent {
  readonly messageId: string
  readonly text: string
  readonly html: string
  readonly alternativeFiles: readonly AttachedFile[]
  readonly inlineFiles: readonly AttachedFile[]
  readonly attachedFiles: readonly AttachedFile[]
}

/**
 * Writes the content: its header fields, the empty line, the body. Mixed, related and alternative multiparts
 * are nested in this order, each only where it has more than one part.
 */
export async function buildContent(draft: DraftContent, needsUtf8: boolean): Promise<Uint8Array> {
  const texts = [textPart('plain', draft.text, needsUtf8), textPart('html', draft.html, needsUtf8)]
  const bodies = texts.filter((_, index) => [draft.text, draft.html][index] !== '')
  const tree = multipart('mixed', [
    multipart('related', [
      multipart('alternative', [
        ...(bodies.length === 0 ? texts.slice(0, 1) : bodies),
        ...draft.alternativeFiles.map((file) => filePart('inline', file)),
      ]),
      ...draft.inlineFiles.map((file) => filePart('inline', file)),
    ]),
    ...draft.attachedFiles.map((file) => filePart('attachment', file)),
  ])
  // The top of a tree of nodes writes Date and Message-ID, a child does not.
  const top = new MimeNode(undefined, { boundaryPrefix: '=_', baseBoundary: baseBoundary(draft) })
  return tree(top).build()
}

/** Refuses what the part's header fields cannot carry; `field` is the file's place in the request. */
export function checkFile(field: string, file: AttachedFile): void {
  checkHeaderText(`${field}.Name`, file.name)
  checkHeaderText(`${field}.ContentType`, file.contentType)
  checkHeaderText(`${field}.ContentID`, file.contentId)
  if (file.contentType !== '' && !MEDIA_TYPE.test(file.contentType)) {
    throw new MessageSyntaxError(`${field}.ContentType`, 'is no media type: type/subtype in ASCII')
  }
  if (/^multipart\//i.test(file.contentType)) {
    throw new MessageSyntaxError(
      `${field}.ContentType`,
      'is a multipart, which no file can be (RFC 2045 §6.4)',
    )
  }
  if (!/^[ -~]{0,900}$/.test(file.contentId)) {
    throw new MessageSyntaxError(`${field}.ContentID`, 'is no message id: up to 900 ASCII characters')
  }
}

const TOKEN = "[!#$%&'*+.^_`{|}~0-9A-Za-z-]{1,127}"
const MEDIA_TYPE = new RegExp(`^${TOKEN}/${TOKEN}(?: *;[ -~]{0,600})?$`)

/** Adds itself to a node and gives the node it became. */
type Part = (parent: MimeNode) => MimeNode

function multipart(subtype: string, parts: readonly Part[]): Part {
  const [only] = parts
  if (only !== undefined && parts.length === 1) return only
  return (parent) => {
    const node = parent.createChild(`multipart/${subtype}`)
    for (const part of parts) part(node)
    return node
  }
}

function textPart(subtype: string, text: string, needsUtf8: boolean): Part {
  const unified = text.replaceAll('\r\n', '\n')
  const lines = unified.endsWith('\n') ? unified : `${unified}\n`
  const isAscii = /^[\x00-\x7f]*$/.test(lines)
  const isLong = lines.split('\n').some((line) => Buffer.byteLength(line) > MAX_UNENCODED_LINE)
  const isEncoded = isLong || /[\r\0]/.test(lines)
  const encoding = isEncoded ? 'quoted-printable' : isAscii && !needsUtf8 ? '7bit' : '8bit'
  const header = [
    `Content-Type: text/${subtype}; charset=${isAscii ? 'us-ascii' : 'utf-8'}`,
    `Content-Transfer-Encoding: ${encoding}`,
  ].join('\r\n')
  const body = isEncoded ? encodeQuotedPrintable(lines) : lines.replaceAll('\n', '\r\n')
  // A node of its own would choose base64 where it should be 8bit, and leave lone CRs as they are.
  return (parent) => parent.createChild().setRaw(`${header}\r\n\r\n${body}`)
}

const MAX_UNENCODED_LINE = 76

function filePart(disposition: 'inline' | 'attachment', file: AttachedFile): Part {
  return (parent) => {
    const node = parent.createChild()
    const field = (name: string, value: string) => {
      node.addHeader(name, { prepared: true, foldLines: true, value })
    }
    field('Content-Type', file.contentType === '' ? sniffContentType(file.data) : file.contentType)
    node.addHeader('Content-Transfer-Encoding', 'base64')
    field('Content-Disposition', buildHeaderValue({ value: disposition, params: { filename: file.name } }))
    if (file.contentId !== '') field('Content-ID', file.contentId)
    return node.setContent(Buffer.from(file.data.buffer, file.data.byteOffset, file.data.byteLength))
  }
}

/** No text can hold the boundary: it would have to hold its own hash. Files are base64 and cannot anyway. */
function baseBoundary({ messageId, text, html }: DraftContent): string {
  const hash = createHash('sha256')
  for (const part of [messageId, text, html]) hash.update(`${part.length}:${part}`)
  return hash.digest('hex').slice(0, 32)
}
