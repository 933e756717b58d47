/** RFC 1035 §2.3.4, in octets; without the trailing dot and the length octets 253 remain of 255. */
const MAX_LABEL = 63
const MAX_NAME = 253

/** Any printable ASCII: SPF's macros make names of local parts (RFC 7208 §7). */
const ASKABLE = /^[\x20-\x7e]+$/

/** Letters, digits, hyphens; underscores too, which names of services begin with (RFC 8552). */
const HOST = /^[a-z0-9_.-]+$/i

/** Reverse zones of less than 256 addresses are delegated to names with a slash (RFC 2317 §4). */
const ALIAS_TARGET = /^[a-z0-9_./-]+$/i

/** The name in lower case; undefined for one that no question can be about: an empty or overlong label, no ASCII. */
export function askableName(name: string): string | undefined {
  return checkedName(name, ASKABLE)
}

/** The same of the name of a host, as a record has it: nothing but letters, digits, hyphens and underscores. */
export function hostName(name: string): string | undefined {
  return checkedName(name, HOST)
}

/** The same of what a CNAME leads to, which may be in a reverse zone. */
export function aliasTarget(name: string): string | undefined {
  return checkedName(name, ALIAS_TARGET)
}

function checkedName(name: string, characters: RegExp): string | undefined {
  const labels = name.split('.')
  if (name.length > MAX_NAME || labels.some((label) => label === '' || label.length > MAX_LABEL)) {
    return undefined
  }
  return characters.test(name) ? name.toLowerCase() : undefined
}
