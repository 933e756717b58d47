import addressparser from 'nodemailer/lib/addressparser'

/** A field of a header section, unfolded. */
export interface HeaderField {
  readonly name: string
  readonly value: string
}

/** Reads the header section of a message, up to the first empty line (RFC 5322 §2.2). */
export function readHeader(raw: Buffer): readonly HeaderField[] {
  const end = raw.indexOf('\r\n\r\n')
  const section = raw.subarray(0, end < 0 ? raw.length : end).toString('utf8')
  const lines = section.replace(/\r?\n(?=[ \t])/g, '').split(/\r?\n/)
  return lines.flatMap((line) => {
    const [, name, value = ''] = /^([!-9;-~]+)[ \t]*:(.*)$/s.exec(line) ?? []
    return name === undefined ? [] : [{ name, value: value.trim() }]
  })
}

/** The addresses in all fields of a name. */
export function addressesIn(header: readonly HeaderField[], name: string): readonly string[] {
  return valuesOf(header, name).flatMap(readAddresses)
}

/** The addresses of one text, such as `Ann <a@shop.example>`. */
export function readAddresses(text: string): readonly string[] {
  return addressparser(text, { flatten: true }).map(({ address }) => address)
}

/** The values of all fields of a name, in any case. */
export function valuesOf(header: readonly HeaderField[], name: string): readonly string[] {
  return header.filter((field) => field.name.toLowerCase() === name.toLowerCase()).map(({ value }) => value)
}

/** The first field that comes more often than SES allows; undefined when all are as they should be. */
export function repeatedField(header: readonly HeaderField[]): string | undefined {
  const seen = new Set<string>()
  for (const { name } of header) {
    const key = name.toLowerCase()
    if (seen.has(key) && onceOnly.has(key)) return name
    seen.add(key)
  }
  return undefined
}

/** What "can't appear more than once" (Amazon SES Developer Guide, "Amazon SES header fields"); To and Cc by RFC 5322 §3.6. */
const onceOnly: ReadonlySet<string> = new Set(
  `accept-language acceptlanguage archived-at auto-submitted bounces-to cc comments content-alternative content-base
  content-class content-description content-disposition content-duration content-id content-language content-length
  content-location content-md5 content-transfer-encoding content-type date delivered-to
  disposition-notification-options disposition-notification-to dkim-signature domainkey-signature errors-to from
  importance in-reply-to keywords list-archive list-help list-id list-owner list-post list-subscribe list-unsubscribe
  list-unsubscribe-post message-context message-id mime-version organization original-from original-message-id
  original-recipient original-subject precedence priority references reply-to return-path return-receipt-to sender
  solicitation sensitivity subject thread-index thread-topic to user-agent vbr-info`.split(/\s+/),
)
