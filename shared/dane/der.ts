/** An element of the Distinguished Encoding Rules (X.690 §8.1). */
export interface DerElement {
  readonly tag: number
  readonly content: Uint8Array
  /** Tag and length included. */
  readonly whole: Uint8Array
}

/** Reads elements that follow each other; throws RangeError for what is none, or ends early. */
export function readElements(octets: Uint8Array): readonly DerElement[] {
  const elements: DerElement[] = []
  for (let rest = octets; rest.length > 0; ) {
    const element = readFirst(rest)
    elements.push(element)
    rest = rest.subarray(element.whole.length)
  }
  return elements
}

/** Tags are of one octet, and lengths of up to four, as in certificates. */
function readFirst(octets: Uint8Array): DerElement {
  const [tag, first] = octets
  if (tag === undefined || first === undefined || (tag & 0x1f) === 0x1f) throw malformed()
  const lengthOctets = first < 0x80 ? 0 : first & 0x7f
  if (first === 0x80 || lengthOctets > 4) throw malformed()
  const start = 2 + lengthOctets
  const length =
    lengthOctets === 0 ? first : octets.subarray(2, start).reduce((sum, octet) => sum * 256 + octet, 0)
  const whole = octets.subarray(0, start + length)
  if (whole.length < start + length) throw malformed()
  return { tag, content: whole.subarray(start), whole }
}

function malformed(): RangeError {
  return new RangeError('malformed DER')
}
