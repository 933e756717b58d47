/** RFC 5321 §4.1.2; with the underscore, which machines have in their names whatever the RFC says. */
const DOMAIN = /^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*\.?$/i
const ADDRESS_LITERAL = /^\[(?:\d{1,3}(?:\.\d{1,3}){3}|IPv6:[0-9a-f:.]{2,45})\]$/i

/** RFC 5321 §4.5.3.1.2. */
const LONGEST_DOMAIN = 255

/**
 * Reads the argument of HELO or EHLO (RFC 5321 §4.1.1.1): a domain name or an address literal. Mail programs say
 * what their user's machine is called, so that at submission (RFC 6409 §4.2) any words will do.
 */
export function parseHello(argument: string, isSubmission: boolean): string | undefined {
  if (argument === '' || argument.length > LONGEST_DOMAIN) return undefined
  return isSubmission || DOMAIN.test(argument) || ADDRESS_LITERAL.test(argument) ? argument : undefined
}
