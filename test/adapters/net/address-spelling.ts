import fc from 'fast-check'
import { groupsOf, octetsOf } from './address-block.ts'

/**
 * An IPv4 address as the host of a URL: one to four parts (inet_aton), each decimal, octal or hexadecimal with zeros
 * before it, a dot at the end, and characters in percent encoding or full width (WHATWG URL, host parsing).
 */
export function ipv4Host(value: bigint): fc.Arbitrary<string> {
  const plain = fc
    .tuple(fc.integer({ min: 0, max: 3 }), fc.array(number, { minLength: 4, maxLength: 4 }), dot)
    .map(([cut, writers, end]) => {
      const last = value & ((1n << BigInt(8 * (4 - cut))) - 1n)
      const parts = [...octetsOf(value).slice(0, cut), last]
      return parts.map((part, place) => writers[place]?.(part) ?? '').join('.') + end
    })
  const disguises = fc.array(fc.constantFrom('as it is', 'percent', 'full width'), {
    minLength: 1,
    maxLength: 64,
  })
  return fc
    .tuple(plain, fc.oneof(fc.constant(['as it is']), disguises))
    .map(([text, how]) =>
      [...text].map((character, place) => disguise(character, how[place % how.length])).join(''),
    )
}

/** An IPv4 address in an IPv6 block that carries such addresses, without brackets. */
export function ipv4Carried(value: bigint): fc.Arbitrary<string> {
  const prefixes = fc.constantFrom(0xffffn << 32n, 0x64_ff9bn << 96n)
  return prefixes.chain((prefix) => ipv6Text(prefix | value))
}

/**
 * An IPv6 address in any form of RFC 4291 §2.2, without brackets: letters of both cases, zeros before a group, `::`
 * for any run of zero groups or none, the last two groups as dotted quad or not.
 */
export function ipv6Text(value: bigint): fc.Arbitrary<string> {
  const groups = groupsOf(value)
  const zeroRuns = groups
    .flatMap((_, from) => groups.slice(from).map((_group, more) => ({ from, to: from + more + 1 })))
    .filter(({ from, to }) => groups.slice(from, to).every((group) => group === 0n))
  const writers = fc.array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.boolean()), {
    minLength: 8,
    maxLength: 8,
  })
  return fc
    .tuple(writers, fc.option(fc.constantFrom(...zeroRuns, undefined)), fc.boolean())
    .map(([how, run, isDotted]) => {
      const end = isDotted ? 6 : 8
      const written = groups.map((group, place) => writeGroup(group, how[place] ?? [1, false])).slice(0, end)
      const quad = isDotted ? [octetsOf(value & 0xffffffffn).join('.')] : []
      if (!run || run.to > end) return [...written, ...quad].join(':')
      return `${written.slice(0, run.from).join(':')}::${[...written.slice(run.to), ...quad].join(':')}`
    })
}

const dot = fc.constantFrom('', '.')

/** Ways to write one part of an IPv4 address. */
const number: fc.Arbitrary<(part: bigint) => string> = fc
  .tuple(fc.constantFrom(8, 10, 16), fc.integer({ min: 0, max: 3 }), fc.boolean())
  .map(([base, zeros, isUpper]) => (part: bigint) => {
    if (base === 10) return part.toString()
    const digits = '0'.repeat(zeros) + part.toString(base)
    const text = base === 8 ? `0${digits}` : `0x${digits}`
    return isUpper ? text.toUpperCase() : text
  })

function disguise(character: string, how = 'as it is'): string {
  const code = character.charCodeAt(0)
  if (how === 'percent') return `%${code.toString(16)}`
  return how === 'full width' ? String.fromCharCode(code + 0xfee0) : character
}

function writeGroup(group: bigint, [digits, isUpper]: readonly [number, boolean]): string {
  const text = group.toString(16).padStart(digits, '0')
  return isUpper ? text.toUpperCase() : text
}
