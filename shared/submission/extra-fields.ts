import type { RawField } from '../message/raw-field.ts'
import { LARGEST_EXTRA } from '../queue/submission-limits.ts'
import type { Refusal } from '../smtp/refusal.ts'
import { badContent } from './refusals.ts'

const PREFIX = /^x-mox-extra-/i

/** What the submitter wants to see again in events: the fields `X-Mox-Extra-<key>: <value>`, which stay where they are. */
export function readExtraFields(
  fields: readonly RawField[],
): { readonly extra: Readonly<Record<string, string>> } | Refusal {
  const extra = new Map<string, string>()
  for (const { name, value } of fields) {
    if (!PREFIX.test(name)) continue
    const key = canonicalKey(name.replace(PREFIX, ''))
    if (key === '') return badContent('X-Mox-Extra-: a key must follow')
    if (extra.has(key)) return badContent(`X-Mox-Extra-${key}: may be given once only`)
    extra.set(key, value)
  }
  const object = Object.fromEntries(extra)
  const octets = Buffer.byteLength(JSON.stringify(object))
  return octets > LARGEST_EXTRA
    ? badContent(`X-Mox-Extra: has ${octets} octets as JSON, of at most ${LARGEST_EXTRA}`)
    : { extra: object }
}

/** Canonical MIME form, which is mox's too: capitals at the beginning and behind dashes; what is no token stays. */
function canonicalKey(key: string): string {
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]*$/.test(key)) return key
  return key.toLowerCase().replace(/(?<=^|-)[a-z]/g, (letter) => letter.toUpperCase())
}
