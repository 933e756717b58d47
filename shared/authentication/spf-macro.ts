/** A macro-string, read (RFC 7208 §7.1): literal text and what is to be put in between. */
export type SpfMacroString = readonly (string | SpfMacro)[]

interface SpfMacro {
  readonly letter: SpfMacroLetter
  /** How many parts remain, counted from the right; all where it is left out. */
  readonly parts?: number
  readonly isReversed: boolean
  /** The characters that parts are split at. */
  readonly delimiters: string
  /** The letter was upper case. */
  readonly isUrlEscaped: boolean
}

/** RFC 7208 §7.2. */
export type SpfMacroLetter = 's' | 'l' | 'o' | 'd' | 'i' | 'p' | 'v' | 'h' | 'c' | 'r' | 't'

/** RFC 7208 §7.3, in octets. */
const MAX_NAME = 253

const TOKEN = /%\{([slodipvhcrt])(\d*)(r?)([-.+,/_=]*)\}|%([%_-])|([ -$&-~]+)/giy
const ESCAPED = new Map([
  ['%', '%'],
  ['_', ' '],
  ['-', '%20'],
])

/** Reads a macro-string, which has no spaces, or an explain-string, which may; undefined where it is neither. */
export function parseMacroString(text: string): SpfMacroString | undefined {
  const found = [...text.matchAll(TOKEN)]
  const length = found.reduce((sum, [token]) => sum + token.length, 0)
  const tokens = found.map(tokenOf)
  const isWhole = length === text.length && !tokens.some((token) => isMacro(token) && token.parts === 0)
  return isWhole ? tokens : undefined
}

/** Reads a domain-spec: a macro-string that ends in a macro or a top label, without what only explanations know. */
export function parseDomainSpec(text: string): SpfMacroString | undefined {
  const tokens = parseMacroString(text)
  if (!tokens || text.includes(' ')) return undefined
  if (tokens.some((token) => isMacro(token) && 'crt'.includes(token.letter))) return undefined
  const [last = '', , , , , , literal = ''] = [...text.matchAll(TOKEN)].at(-1) ?? []
  return last !== literal || endsInTopLabel(literal) ? tokens : undefined
}

/** Whether the letter is among the string's macros. */
export function usesMacro(tokens: SpfMacroString, letter: SpfMacroLetter): boolean {
  return tokens.some((token) => isMacro(token) && token.letter === letter)
}

/**
 * The string with its macros' values in it. Undefined where a value is not of ASCII characters: names cannot have
 * them, and such a term matches nothing (RFC 8616 §4).
 */
export function expandMacros(
  tokens: SpfMacroString,
  macroValue: (letter: SpfMacroLetter) => string,
): string | undefined {
  const texts = tokens.map((token) => (isMacro(token) ? expand(token, macroValue) : token))
  return texts.includes(undefined) ? undefined : texts.join('')
}

/**
 * The name that an expanded domain-spec stands for: without the trailing dot, and without as many labels on the left as
 * it is too long (RFC 7208 §7.3). Empty for what can be no name in the DNS, because of an empty or overlong label.
 */
export function targetName(expanded: string): string {
  const name = expanded.replace(/\.$/, '')
  const tail = name.slice(-MAX_NAME)
  const isWhole = name.length <= MAX_NAME || name.at(-MAX_NAME - 1) === '.'
  const fitting = isWhole ? tail : tail.slice(tail.indexOf('.') + 1)
  return fitting.split('.').every((label) => label !== '' && label.length <= 63) ? fitting : ''
}

function tokenOf([, letter = '', parts = '', reverse, delimiters, escaped = '', literal]: RegExpExecArray) {
  if (letter === '') return literal ?? ESCAPED.get(escaped) ?? ''
  return {
    letter: letter.toLowerCase() as SpfMacroLetter,
    ...(parts !== '' && { parts: Number(parts) }),
    isReversed: reverse !== '',
    delimiters: delimiters || '.',
    isUrlEscaped: letter !== letter.toLowerCase(),
  }
}

function isMacro(token: string | SpfMacro): token is SpfMacro {
  return typeof token !== 'string'
}

function expand(macro: SpfMacro, macroValue: (letter: SpfMacroLetter) => string): string | undefined {
  const value = macroValue(macro.letter)
  if (!/^[\x20-\x7e]*$/.test(value)) return undefined
  const parts = value.split(new RegExp(`[${macro.delimiters.replaceAll('-', '\\-')}]`))
  if (macro.isReversed) parts.reverse()
  const text = parts.slice(-(macro.parts ?? parts.length)).join('.')
  return macro.isUrlEscaped ? urlEscape(text) : text
}

/** RFC 3986 §2.3: encodeURIComponent leaves five characters that are not unreserved. */
function urlEscape(text: string): string {
  const hex = (char: string) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`
  return encodeURIComponent(text).replace(/[!'()*]/g, hex)
}

/** RFC 7208 §7.1: after a dot, letters, digits and inner hyphens, not digits alone; read without backtracking. */
function endsInTopLabel(text: string): boolean {
  const name = text.replace(/\.$/, '')
  const dot = name.lastIndexOf('.')
  const label = name.slice(dot + 1)
  return dot >= 0 && /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/i.test(label) && !/^\d+$/.test(label)
}
