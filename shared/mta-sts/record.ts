/** What a domain says in the DNS of its policy (RFC 8461 §3.1). */
export interface StsRecord {
  /** Another id is another policy. */
  readonly id: string
}

const VERSION = /^v=STSv1[ \t]*;/
/** Begun once for each run of white space, since strangers choose how long it is. */
const DELIMITER = /(?<![ \t])[ \t]*;[ \t]*/
const ID = /^[A-Za-z0-9]{1,32}$/
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$/
/** Printable, but no `;`, `=` or space. */
const VALUE = /^[\x21-\x3a\x3c\x3e-\x7e]+$/

/** Reads a TXT record; undefined where it is no MTA-STS record, `malformed` where it is one that breaks a rule. */
export function parseStsRecord(text: string): StsRecord | 'malformed' | undefined {
  if (!VERSION.test(text)) return undefined
  const [, ...fields] = text.split(DELIMITER)
  if (fields.at(-1) === '') fields.pop()
  let id: string | undefined
  for (const field of fields) {
    const equals = field.indexOf('=')
    const [name, value] = [field.slice(0, Math.max(equals, 0)), field.slice(equals + 1)]
    const isGood = name === 'id' ? ID.test(value) : NAME.test(name) && VALUE.test(value)
    if (!isGood) return 'malformed'
    if (name === 'id') id ??= value
  }
  return id === undefined ? 'malformed' : { id }
}
