import { parseAddress } from '../address/address.ts'
import { oneLine } from './one-line.ts'
import { type DsnRecipient, describeRecipient } from './recipient.ts'

/** Recipients beyond are left out. */
const MAX_RECIPIENTS = 1000
const MAX_FAILED_RECIPIENTS = 65_536
const MAX_ADDRESS = 500

/**
 * Recipients of a bounce in plain text that carries a documented mark: the X-Failed-Recipients field of Exim, or
 * the first words of qmail's format (QSBMF). undefined for any other text: prose is not interpreted.
 */
export function readTextBounce(failedRecipients: string, text: string): readonly DsnRecipient[] | undefined {
  const failed = readFailedRecipients(failedRecipients)
  if (failed.length > 0) return failed
  const named = text.startsWith('Hi. This is the') ? readQsbmf(text) : []
  return named.length > 0 ? named : undefined
}

/** The copy of the original message in a text; both programs introduce it by a fixed line. */
export function returnedText(text: string): string {
  const mark = /^-{3,6} (?:Below this line|This) is a copy of the message.*\n/m.exec(text)
  return mark === null ? '' : text.slice(mark.index + mark[0].length)
}

/** Exim documents the field as a list of addresses; it stands in bounces only, not in warnings of a delay. */
function readFailedRecipients(value: string): readonly DsnRecipient[] {
  return value
    .slice(0, MAX_FAILED_RECIPIENTS)
    .split(',', MAX_RECIPIENTS)
    .map((text) => text.trim())
    .filter(isAddress)
    .map((finalRecipient) =>
      describeRecipient({ finalRecipient, action: 'failed', diagnostic: '', reply: '' }),
    )
}

function isAddress(text: string): boolean {
  try {
    parseAddress(text)
    return true
  } catch {
    return false
  }
}

interface QsbmfRecipient {
  readonly address: string
  readonly reason: string[]
}

/** Paragraphs of recipients begin with `<address>:`, one that begins with a hyphen ends them. */
function readQsbmf(text: string): readonly DsnRecipient[] {
  const recipients: QsbmfRecipient[] = []
  for (const paragraph of text.split(/\n\n+/)) {
    if (paragraph.startsWith('-') || recipients.length > MAX_RECIPIENTS) break
    const [first = '', ...rest] = paragraph.split('\n')
    const address = /^<(.+)>:$/.exec(first.trimEnd())?.[1]
    if (address === undefined) recipients.at(-1)?.reason.push(paragraph)
    else recipients.push({ address, reason: rest })
  }
  return recipients.slice(0, MAX_RECIPIENTS).map(readQsbmfRecipient)
}

/** qmail writes its own codes as `(#5.1.1)` (HCMSSC), and marks what another server said. */
function readQsbmfRecipient({ address, reason }: QsbmfRecipient): DsnRecipient {
  const diagnostic = reason.join('\n')
  const [, reply] = /^Remote host said: (.*)/ms.exec(diagnostic) ?? []
  const [, code] = /\(#(\d\.\d{1,3}\.\d{1,3})\)/.exec(diagnostic) ?? []
  return describeRecipient({
    finalRecipient: oneLine(address, MAX_ADDRESS),
    action: 'failed',
    status: reply === undefined ? (code ?? '') : '',
    diagnostic,
    reply: reply ?? '',
  })
}
