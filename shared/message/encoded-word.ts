/** RFC 2047 §2, with its delimiters. */
const MAX_ENCODED_WORD = 75
const PREFIX = '=?utf-8?q?'
const SUFFIX = '?='
const MAX_PAYLOAD = MAX_ENCODED_WORD - PREFIX.length - SUFFIX.length

/** Beyond this a word could make a line that no transport takes (RFC 5322 §2.1.1), and cannot be folded. */
const MAX_PLAIN_WORD = 900

/** Encoded words (RFC 2047) for the whole text, parted by spaces that do not count; fit for a phrase too. */
export function encodeWords(text: string): string {
  const words: string[] = []
  let payload = ''
  for (const character of text) {
    const encoded = encodeCharacter(character)
    if (payload.length + encoded.length > MAX_PAYLOAD) {
      words.push(payload)
      payload = ''
    }
    payload += encoded
  }
  return [...words, payload].map((word) => `${PREFIX}${word}${SUFFIX}`).join(' ')
}

/** Unstructured text (RFC 5322 §3.2.5) in which only the words that need it are encoded. */
export function encodeUnstructured(text: string, allowsUtf8: boolean): string {
  const words = text.split(' ')
  const encoded: string[] = []
  for (let first = 0; first < words.length; ) {
    const end = endOfRun(words, first, allowsUtf8)
    // Spaces between encoded words are lost (RFC 2047 §6.2), so neighbours are encoded with theirs.
    encoded.push(end > first ? encodeWords(words.slice(first, end).join(' ')) : (words[first] ?? ''))
    first = Math.max(end, first + 1)
  }
  return encoded.join(' ')
}

/** Whether readers would misread the word or transports refuse it. */
export function needsEncoding(word: string, allowsUtf8: boolean): boolean {
  if (word.includes('=?') || Buffer.byteLength(word) > MAX_PLAIN_WORD) return true
  return !allowsUtf8 && /[^\x00-\x7f]/.test(word)
}

/** Behind the last word of the run of words to encode that begins at `first`; `first` if there is none. */
function endOfRun(words: readonly string[], first: number, allowsUtf8: boolean): number {
  let end = first
  for (let at = first; at < words.length; at += 1) {
    const word = words[at] ?? ''
    if (needsEncoding(word, allowsUtf8)) end = at + 1
    else if (word !== '' || end === first) break
  }
  return end
}

/** The alphabet of RFC 2047 §5 (3), the narrowest of the three. */
function encodeCharacter(character: string): string {
  if (/^[A-Za-z0-9!*+/-]$/.test(character)) return character
  if (character === ' ') return '_'
  return Buffer.from(character).toString('hex').toUpperCase().replace(/../g, '=$&')
}
