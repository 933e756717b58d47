/** Content of an XML element: text, child elements, or (inside those) a repeated element. Undefined is left out. */
type XmlContent =
  | string
  | number
  | boolean
  | { readonly [name: string]: XmlContent | readonly XmlContent[] | undefined }

/** A whole answer document in S3's namespace. */
export function resultDocument(root: string, content: XmlContent): string {
  return `${declaration}<${root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${write(content)}</${root}>`
}

/** An error document, which S3 sends without a namespace. */
export function errorDocument(content: XmlContent): string {
  return `${declaration}<Error>${write(content)}</Error>`
}

/** The inner XML of every `<name>` element, in order. The names S3 uses do not nest in themselves. */
export function elements(xml: string, name: string): string[] {
  const pattern = new RegExp(`<${name}(?:\\s[^>]*)?>([\\s\\S]*?)</${name}>`, 'g')
  return [...xml.matchAll(pattern)].map((match) => match[1] ?? '')
}

/** The text of the first `<name>` element. */
export function elementText(xml: string, name: string): string | undefined {
  const [content] = elements(xml, name)
  return content === undefined ? undefined : unescapeXml(content)
}

const declaration = '<?xml version="1.0" encoding="UTF-8"?>\n'

function write(content: XmlContent): string {
  if (typeof content !== 'object') return escapeXml(String(content))
  return Object.entries(content)
    .flatMap(([name, value]) => each(value).map((item) => `<${name}>${write(item)}</${name}>`))
    .join('')
}

function each(value: XmlContent | readonly XmlContent[] | undefined): readonly XmlContent[] {
  if (value === undefined) return []
  return isList(value) ? value : [value]
}

function isList(value: XmlContent | readonly XmlContent[]): value is readonly XmlContent[] {
  return Array.isArray(value)
}

function escapeXml(text: string): string {
  // Control characters too: a key may hold a line end, which a parser would otherwise normalize.
  return text.replace(/[&<>"'\x00-\x1f\x7f]/g, (character) => `&#${character.charCodeAt(0)};`)
}

function unescapeXml(text: string): string {
  return text.replace(/&(#x?[0-9a-f]+|amp|lt|gt|quot|apos);/gi, (_, name: string) => {
    if (name.startsWith('#x')) return String.fromCodePoint(Number.parseInt(name.slice(2), 16))
    if (name.startsWith('#')) return String.fromCodePoint(Number.parseInt(name.slice(1), 10))
    return { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }[name] ?? ''
  })
}
