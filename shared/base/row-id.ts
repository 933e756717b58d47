import type { Instant } from './clock.ts'

declare const rowId: unique symbol

/**
 * Names a row (a queued message, a webhook call, a mail) within its account: an integer below 2^53, so that
 * every JSON client keeps it exactly, made of milliseconds since 2026 and 12 low bits. Ids sort by time.
 * They are drawn, not counted: whoever writes a row demands that the id is free and draws again if not.
 */
export type RowId = number & { readonly [rowId]: true }

const EPOCH = Date.UTC(2026, 0, 1)
const LOW_BITS = 4096
const TEXT_LENGTH = 16

/** The id of that millisecond whose 12 low bits are `low` modulo 4096. */
export function rowIdAt(at: Instant, low: number): RowId {
  return (Math.max(0, at - EPOCH) * LOW_BITS + (low % LOW_BITS)) as RowId
}

/** The millisecond for which an id was drawn. */
export function instantOf(id: RowId): Instant {
  return EPOCH + Math.floor(id / LOW_BITS)
}

/** An id `offset` after `id`: the recipients of one Send are numbered in a run. */
export function rowIdPlus(id: RowId, offset: number): RowId {
  return (id + offset) as RowId
}

/** Reads a positive integer; undefined for anything else. */
export function parseRowId(value: string | number): RowId | undefined {
  const id = typeof value === 'number' ? value : /^\d{1,16}$/.test(value) ? Number(value) : Number.NaN
  return Number.isSafeInteger(id) && id > 0 ? (id as RowId) : undefined
}

/** Sixteen decimal digits, so that texts sort as the numbers do. */
export function formatRowId(id: RowId): string {
  return String(id).padStart(TEXT_LENGTH, '0')
}
