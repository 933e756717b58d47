/** Makes one line of at most `maxLength` UTF-16 units of a text that a stranger chose; well-formed, no controls. */
export function oneLine(text: string, maxLength: number): string {
  return text
    .slice(0, 2 * maxLength)
    .replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]+/g, ' ')
    .trim()
    .slice(0, maxLength)
    .toWellFormed()
}

/** A longer word could make a line that no transport takes (RFC 5322 §2.1.1): words cannot be folded. */
const MAX_WORD_OCTETS = 900

/** The line with its endless words cut in pieces. */
export function breakWords(line: string): string {
  return line.replace(/[^ ]{225,}/gu, (word) => {
    return Buffer.byteLength(word) > MAX_WORD_OCTETS ? word.replace(/[^ ]{225}(?=[^ ])/gu, '$& ') : word
  })
}
