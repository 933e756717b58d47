/** RFC 3461 §4: any printable ASCII but `+` and `=`, or `+` and two upper-case hexadecimal digits. */
const XTEXT = /^(?:[!-*,-<>-~]|\+[0-9A-F]{2})*$/

/** Decodes xtext; undefined when the text is none, or stands for more than printable ASCII and spaces. */
export function decodeXtext(text: string): string | undefined {
  if (!XTEXT.test(text)) return undefined
  const decoded = text.replace(/\+(..)/g, (_all, digits) => String.fromCharCode(Number.parseInt(digits, 16)))
  return /^[ -~]*$/.test(decoded) ? decoded : undefined
}

/** Encodes printable ASCII and spaces as xtext. */
export function encodeXtext(text: string): string {
  return text.replace(/[^!-*,-<>-~]/g, (character) => `+${hexadecimal(character)}`)
}

function hexadecimal(character: string): string {
  return character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')
}
