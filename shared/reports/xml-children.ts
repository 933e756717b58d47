/** An element without its attributes: what is between its tags, and the elements in it. */
export interface XmlElement {
  /** Without a namespace's prefix. */
  readonly name: string
  readonly text: string
  readonly children: readonly XmlElement[]
}

/** The text is no XML that we read; the message is ASCII without anything of the text. */
export class XmlError extends Error {}

interface OpenElement {
  readonly tag: string
  readonly name: string
  text: string
  readonly children: XmlElement[]
}

const MOST_DEPTH = 20
/** Of all elements in one child of the root. */
const MOST_ELEMENTS = 1_000
const LONGEST_TAG = 4_096

const START_TAG =
  /<([A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?)(?:\s+[^\s=<>/"']+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*\s*(\/?)>/y
const END_TAG = /<\/([A-Za-z_][\w.:-]*)\s*>/y
const PREDEFINED: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

/**
 * Reads the elements directly below the root, one after the other, so that a document of many needs the memory of
 * one, and whoever reads may stop or pause between them. Document types are refused, and with them every entity but
 * the five of XML (§4.6): nothing grows, nothing is fetched. Throws {@link XmlError}.
 */
export function* readXmlChildren(text: string, rootName: string): Generator<XmlElement> {
  const open: OpenElement[] = []
  let elements = 0
  for (const token of readTokens(text)) {
    if (token.kind === 'start') elements = openElement(open, token.tag, rootName, elements)
    else if (token.kind === 'text') addText(open, token.text)
    else {
      const child = closeElement(open, token.tag)
      if (child) yield child
      if (open.length === 0) return
    }
  }
  throw new XmlError(elements === 0 ? 'no XML' : 'XML that ends early')
}

type Token =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'start' | 'end'; readonly tag: string }

function* readTokens(text: string): Generator<Token> {
  let from = 0
  for (let at = text.indexOf('<'); at >= 0; at = text.indexOf('<', from)) {
    if (at > from) yield { kind: 'text', text: decodeReferences(text.slice(from, at)) }
    const other = readOtherMarkup(text, at)
    if (other) {
      yield { kind: 'text', text: other.text }
      from = other.end
      continue
    }
    const { kind, tag, end } = readTag(text, at)
    if (kind !== 'end') yield { kind: 'start', tag }
    if (kind !== 'start') yield { kind: 'end', tag }
    from = end
  }
}

/** A comment, processing instruction or CDATA section, and the text that it stands for. */
function readOtherMarkup(
  text: string,
  at: number,
): { readonly end: number; readonly text: string } | undefined {
  if (text.startsWith('<?', at)) return { end: endOf(text, '?>', at + 2), text: '' }
  if (text.startsWith('<!--', at)) return { end: endOf(text, '-->', at + 4), text: '' }
  if (text.startsWith('<![CDATA[', at)) {
    const end = endOf(text, ']]>', at + 9)
    return { end, text: text.slice(at + 9, end - 3) }
  }
  if (text.startsWith('<!', at)) throw new XmlError('document type')
  return undefined
}

function endOf(text: string, mark: string, from: number): number {
  const at = text.indexOf(mark, from)
  if (at < 0) throw new XmlError('XML that ends early')
  return at + mark.length
}

interface Tag {
  readonly kind: 'start' | 'empty' | 'end'
  readonly tag: string
  readonly end: number
}

function readTag(text: string, at: number): Tag {
  // Of a part only, so that a broken tag costs no search through the rest.
  const part = text.slice(at, at + LONGEST_TAG)
  const pattern = part.startsWith('</') ? END_TAG : START_TAG
  pattern.lastIndex = 0
  const [whole, tag, slash] = pattern.exec(part) ?? []
  if (whole === undefined || tag === undefined) throw new XmlError('malformed tag')
  const kind = pattern === END_TAG ? 'end' : slash === '/' ? 'empty' : 'start'
  return { kind, tag, end: at + whole.length }
}

/** Answers how many elements the child of the root has by now. */
function openElement(open: OpenElement[], tag: string, rootName: string, before: number): number {
  const name = tag.slice(tag.indexOf(':') + 1)
  const elements = open.length <= 1 ? 1 : before + 1
  if (open.length === 0 && name !== rootName) throw new XmlError('another root element')
  if (open.length === MOST_DEPTH || elements > MOST_ELEMENTS) throw new XmlError('too many elements in one')
  open.push({ tag, name, text: '', children: [] })
  return elements
}

/** Between the children of the root stands nothing that counts. */
function addText(open: readonly OpenElement[], text: string): void {
  const current = open.at(-1)
  if (current && open.length > 1) current.text += text
}

/** Undefined unless the element is directly below the root. */
function closeElement(open: OpenElement[], tag: string): XmlElement | undefined {
  const closed = open.pop()
  if (closed?.tag !== tag) throw new XmlError('tags do not match')
  const element = { name: closed.name, text: closed.text.trim(), children: closed.children }
  if (open.length === 1) return element
  open.at(-1)?.children.push(element)
  return undefined
}

function decodeReferences(text: string): string {
  if (!text.includes('&')) return text
  return text.replace(/&(?:#(\d{1,7})|#x([\da-fA-F]{1,6})|(lt|gt|amp|quot|apos));/g, decodeReference)
}

function decodeReference(whole: string, decimal?: string, hexadecimal?: string, name?: string): string {
  if (name !== undefined) return PREDEFINED[name] ?? whole
  const point = decimal === undefined ? Number.parseInt(hexadecimal ?? '', 16) : Number(decimal)
  return point <= 0x10ffff ? String.fromCodePoint(point) : '\ufffd'
}
