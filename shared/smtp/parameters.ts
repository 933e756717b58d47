import type { Refusal } from './refusal.ts'

/** The parameters of MAIL or RCPT by keyword, in upper case; a keyword without `=` has no value. */
export type EsmtpParameters = ReadonlyMap<string, string | undefined>

/** RFC 5321 §4.1.2 esmtp-param; RFC 6531 §3.3 adds what is not ASCII. */
const PARAMETER = /^([a-z0-9][a-z0-9-]*)(?:=([!-<>-~\u00a0-\uffff]+))?$/i

/** Reads the text behind the path. What is no parameter, and what is given twice, is refused by name. */
export function parseParameters(text: string): EsmtpParameters | Refusal {
  const parameters = new Map<string, string | undefined>()
  for (const word of text.split(' ').filter((part) => part !== '')) {
    const [whole, name = '', value] = PARAMETER.exec(word) ?? []
    if (whole === undefined) return badParameter('a parameter must be KEYWORD or KEYWORD=value')
    const keyword = name.toUpperCase()
    if (parameters.has(keyword)) return badParameter(`${keyword} is given twice`)
    parameters.set(keyword, value)
  }
  return parameters
}

/** RFC 5321 §4.2.2: the command's syntax is right, its parameter's is not. */
export function badParameter(text: string): Refusal {
  return { code: 501, enhancedCode: '5.5.4', text }
}

/** RFC 5321 §4.1.1.11. */
export function unknownParameter(keyword: string): Refusal {
  return { code: 555, enhancedCode: '5.5.4', text: `the parameter ${keyword.slice(0, 40)} is not supported` }
}
