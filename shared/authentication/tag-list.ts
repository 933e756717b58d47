const NAME = /^[A-Za-z][A-Za-z0-9_]*$/

/**
 * Reads `name=value; name=value` (RFC 6376 §3.2), in which DKIM and DMARC say everything: the tags in their order,
 * values without the white space around them. Undefined where the text is no such list or has a tag twice.
 */
export function parseTagList(text: string): ReadonlyMap<string, string> | undefined {
  const specs = text.split(';')
  if (withoutOuterSpace(specs.at(-1) ?? '') === '') specs.pop()
  const tags = new Map<string, string>()
  for (const spec of specs) {
    const equals = spec.indexOf('=')
    const name = withoutOuterSpace(spec.slice(0, Math.max(equals, 0)))
    const value = withoutOuterSpace(spec.slice(equals + 1))
    if (!NAME.test(name) || tags.has(name) || /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(value)) return undefined
    tags.set(name, value)
  }
  return tags
}

/** A value that is a list with colons, such as `h=from:to`; in lower case, without empty items. */
export function splitTagValue(value: string): readonly string[] {
  return value
    .split(':')
    .map((item) => withoutOuterSpace(item).toLowerCase())
    .filter((item) => item !== '')
}

/** Folding white space of RFC 6376 §2.8 only: what else JavaScript calls space is part of a value. */
function withoutOuterSpace(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isSpace(text[start])) start += 1
  while (end > start && isSpace(text[end - 1])) end -= 1
  return text.slice(start, end)
}

function isSpace(character: string | undefined): boolean {
  return character === ' ' || character === '\t' || character === '\r' || character === '\n'
}
