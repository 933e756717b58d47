import { isAscii } from 'node:buffer'
import { isAsciiLocalpart } from '../address/address.ts'
import type { Instant } from '../base/clock.ts'
import { type AttachedFile, buildContent, checkFile } from './compose-content.ts'
import { formatDateTime } from './date-time.ts'
import { encodeUnstructured } from './encoded-word.ts'
import { checkHeaderText, formatAddressList, formatField, type NamedAddress } from './header-field.ts'
import { MessageSyntaxError } from './message-syntax-error.ts'

/** A message to write. Texts have lines that end in LF. */
export interface MessageDraft {
  readonly from: NamedAddress
  readonly replyTo: readonly NamedAddress[]
  readonly to: readonly NamedAddress[]
  readonly cc: readonly NamedAddress[]
  /** Never written; it only counts for whether the message needs SMTPUTF8. */
  readonly bcc: readonly NamedAddress[]
  readonly subject: string
  readonly date: Instant
  /** With angle brackets. */
  readonly messageId: string
  /** With angle brackets, oldest first; the last is also the In-Reply-To. */
  readonly references: readonly string[]
  readonly text: string
  readonly html: string
  /** Further fields, in order, written as they are. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** Stands back for a User-Agent or X-Mailer among the headers. */
  readonly userAgent: string
  readonly alternativeFiles: readonly AttachedFile[]
  readonly inlineFiles: readonly AttachedFile[]
  readonly attachedFiles: readonly AttachedFile[]
}

/** A message as it is sent, with CRLF. */
export interface ComposedMessage {
  readonly bytes: Uint8Array
  /** Needs 8BITMIME (RFC 6152). */
  readonly has8bit: boolean
  /** Needs SMTPUTF8 (RFC 6531 §3.1): an address of it, or UTF-8 in the header section. */
  readonly smtputf8: boolean
}

/**
 * Writes a message (RFC 5322, 2045, 6532). The same draft gives the same bytes. Throws
 * {@link MessageSyntaxError}, whose `field` names the webapi's field, for what no header field can carry.
 */
export async function composeMessage(draft: MessageDraft): Promise<ComposedMessage> {
  checkDraft(draft)
  const needsUtf8 = [draft.from, ...draft.replyTo, ...draft.to, ...draft.cc, ...draft.bcc].some(
    ({ address }) => !isAsciiLocalpart(address),
  )
  const header = Buffer.from(formatHeader(draft, needsUtf8))
  const bytes = Buffer.concat([header, await buildContent(draft, needsUtf8)])
  return { bytes, has8bit: !isAscii(bytes), smtputf8: needsUtf8 || !isAscii(header) }
}

/** All fields but those of the content, which {@link buildContent} writes. */
function formatHeader(draft: MessageDraft, needsUtf8: boolean): string {
  const addresses = (name: string, list: readonly NamedAddress[], origin: string) =>
    list.length === 0 ? '' : formatField(name, formatAddressList(list, needsUtf8), origin)
  const optional = (name: string, body: string, origin: string) =>
    body === '' ? '' : formatField(name, body, origin)
  return [
    addresses('From', [draft.from], 'From'),
    addresses('Reply-To', draft.replyTo, 'ReplyTo'),
    addresses('To', draft.to, 'To'),
    addresses('Cc', draft.cc, 'CC'),
    optional('Subject', encodeUnstructured(draft.subject, needsUtf8), 'Subject'),
    formatField('Date', formatDateTime(draft.date), 'Date'),
    formatField('Message-Id', draft.messageId, 'MessageID'),
    optional('References', draft.references.join(' '), 'References'),
    optional('In-Reply-To', draft.references.at(-1) ?? '', 'References'),
    formatField('MIME-Version', '1.0', ''),
    ...draft.headers.map(([name, value], index) => formatField(name, value, `Headers[${index}][1]`)),
    ...(namesUserAgent(draft) ? [] : [formatField('User-Agent', draft.userAgent, 'UserAgent')]),
  ].join('')
}

function namesUserAgent({ headers }: MessageDraft): boolean {
  return headers.some(([name]) => /^(user-agent|x-mailer)$/i.test(name))
}

function checkDraft(draft: MessageDraft): void {
  checkHeaderText('Subject', draft.subject)
  checkHeaderText('MessageID', draft.messageId)
  checkHeaderText('UserAgent', draft.userAgent)
  draft.references.forEach((reference, index) => {
    checkHeaderText(`References[${index}]`, reference)
  })
  checkNames('From', [draft.from])
  checkNames('ReplyTo', draft.replyTo)
  checkNames('To', draft.to)
  checkNames('CC', draft.cc)
  checkNames('BCC', draft.bcc)
  draft.headers.forEach(([name, value], index) => {
    checkFieldName(`Headers[${index}][0]`, name)
    checkHeaderText(`Headers[${index}][1]`, value)
  })
  checkFiles('AlternativeFiles', draft.alternativeFiles)
  checkFiles('InlineFiles', draft.inlineFiles)
  checkFiles('AttachedFiles', draft.attachedFiles)
}

function checkNames(field: string, addresses: readonly NamedAddress[]): void {
  addresses.forEach(({ name }, index) => {
    checkHeaderText(`${field}[${index}].Name`, name)
  })
}

function checkFiles(field: string, files: readonly AttachedFile[]): void {
  files.forEach((file, index) => {
    checkFile(`${field}[${index}]`, file)
  })
}

/** Fields that we write, of which a message has one at most (RFC 5322 §3.6, RFC 2045 §3). */
const OWN_FIELDS =
  /^(from|to|cc|bcc|reply-to|subject|date|message-id|references|in-reply-to|mime-version|content-.*)$/i

function checkFieldName(field: string, name: string): void {
  // RFC 5322 §3.6.8; the colon and a space have to fit on the first line too.
  if (!/^[!-9;-~]{1,76}$/.test(name)) {
    throw new MessageSyntaxError(
      field,
      'is no header field name: 1 to 76 printable ASCII characters but the colon',
    )
  }
  if (OWN_FIELDS.test(name)) {
    throw new MessageSyntaxError(field, `is ${name}, which is written from the other fields of the request`)
  }
}
