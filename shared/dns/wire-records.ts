/** What is in a message from `start` to before `end`. */
interface Span {
  readonly message: Uint8Array
  readonly start: number
  readonly end: number
}

type NameEnd = (message: Uint8Array, start: number) => number

const HEADER = 12
const DOT = 0x2e
/** As many as a name has labels: 127 of one octet make 255 octets. */
const MAX_POINTERS = 128

/**
 * Checks what dns-packet takes on trust: that the data of each record is as long as its type demands, or the records
 * after it would be read from the wrong place, and that no label of an answer has a dot in it, or one label would be
 * read as two. Throws RangeError for a message that is not so (RFC 1035 §4.1).
 */
export function checkRecords(message: Uint8Array): void {
  const counts = [4, 6, 8, 10].map((at) => word(message, at))
  const [questions = 0, answers = 0, authorities = 0, additionals = 0] = counts
  let offset = HEADER
  for (let question = 0; question < questions; question++) offset = endOfName(message, offset) + 4
  for (let answer = 0; answer < answers; answer++) offset = checkRecord(message, offset, endOfPlainName)
  // Other sections may have such labels: the mailbox of a SOA record often has (RFC 1035 §5.3).
  for (let other = 0; other < authorities + additionals; other++) {
    offset = checkRecord(message, offset, endOfName)
  }
}

/** The offset after the record. */
function checkRecord(message: Uint8Array, offset: number, nameEnd: NameEnd): number {
  const fixed = nameEnd(message, offset)
  const start = fixed + 10
  const end = start + word(message, fixed + 8)
  if (end > message.length) throw new RangeError('the message ends within a record')
  const check = checks[word(message, fixed)]
  if (check && !check({ message, start, end }, nameEnd)) throw new RangeError('the data is not of its type')
  return end
}

/** By type number; the data of others is not looked at. */
const checks: Readonly<Record<number, (data: Span, nameEnd: NameEnd) => boolean>> = {
  // A, AAAA
  1: ({ start, end }) => end - start === 4,
  28: ({ start, end }) => end - start === 16,
  // NS, CNAME, PTR, DNAME
  2: isName,
  5: isName,
  12: isName,
  39: isName,
  // SOA
  6: ({ message, start, end }) => endOfName(message, endOfName(message, start)) + 20 === end,
  // MX, SRV
  15: ({ message, start, end }, nameEnd) => nameEnd(message, start + 2) === end,
  33: ({ message, start, end }, nameEnd) => nameEnd(message, start + 6) === end,
  // TXT
  16: (data) => isFilledBy(data, (at) => 1 + octet(data.message, at)),
  // TLSA
  52: ({ start, end }) => end - start >= 3,
  // OPT
  41: (data) => isFilledBy(data, (at) => 4 + word(data.message, at + 2)),
}

function isName({ message, start, end }: Span, nameEnd: NameEnd): boolean {
  return nameEnd(message, start) === end
}

/** Whether pieces of these lengths, one after the other, end where the data does. */
function isFilledBy({ start, end }: Span, lengthAt: (offset: number) => number): boolean {
  let offset = start
  while (offset < end) offset += lengthAt(offset)
  return offset === end
}

function endOfPlainName(message: Uint8Array, start: number): number {
  return endOfName(message, start, (label) => {
    if (label.includes(DOT)) throw new RangeError('a label has a dot in it')
  })
}

/** Follows pointers, to earlier places only (RFC 1035 §4.1.4), so that it comes to an end, and comes to it soon. */
function endOfName(message: Uint8Array, start: number, look?: (label: Uint8Array) => void): number {
  let end: number | undefined
  let earliest = start
  let pointers = 0
  let offset = start
  for (;;) {
    const length = octet(message, offset)
    if (length === 0) return end ?? offset + 1
    if (length >= 0xc0) {
      end ??= offset + 2
      offset = word(message, offset) & 0x3fff
      if (offset >= earliest) throw new RangeError('a pointer leads forward')
      if (++pointers > MAX_POINTERS) throw new RangeError('too many pointers')
      earliest = offset
    } else if (length > 63) {
      throw new RangeError('a label is too long')
    } else {
      look?.(message.subarray(offset + 1, offset + 1 + length))
      offset += length + 1
    }
  }
}

function octet(message: Uint8Array, offset: number): number {
  const value = message[offset]
  if (value === undefined) throw new RangeError('the message ends too early')
  return value
}

function word(message: Uint8Array, offset: number): number {
  return octet(message, offset) * 256 + octet(message, offset + 1)
}
