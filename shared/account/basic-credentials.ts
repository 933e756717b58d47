/** Reads an Authorization field of the Basic scheme (RFC 7617 §2), in UTF-8; undefined if it is anything else. */
export function readBasicCredentials(
  authorization: string | undefined,
): { readonly userName: string; readonly password: string } | undefined {
  const encoded = /^Basic +([A-Za-z0-9+/=_-]+) *$/i.exec(authorization ?? '')?.[1]
  if (!encoded) return undefined
  const text = Buffer.from(encoded, 'base64').toString()
  const colon = text.indexOf(':')
  return colon < 0 ? undefined : { userName: text.slice(0, colon), password: text.slice(colon + 1) }
}
