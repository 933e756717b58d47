import { isAccountName } from '../account/options.ts'
import type { RowId } from '../base/row-id.ts'

/** The attempt that a call of SES belongs to. */
export interface SesAttempt {
  readonly account: string
  readonly id: RowId
  readonly attempt: number
}

/**
 * The tags by which events name the attempt. Their values have no dots; account names have no upper-case letters, so
 * `D` stands for a dot.
 */
export function sesTags({ account, id, attempt }: SesAttempt): Readonly<Record<string, string>> {
  return { account: account.replaceAll('.', 'D'), id: String(id), attempt: String(attempt) }
}

/** The inverse of {@link sesTags}; undefined where they are not ours. */
export function parseSesTags(
  tags: Readonly<Record<string, readonly string[] | undefined>>,
): SesAttempt | undefined {
  const account = tags.account?.[0]?.replaceAll('D', '.') ?? ''
  const [id, attempt] = [Number(tags.id?.[0]), Number(tags.attempt?.[0])]
  const isOurs =
    isAccountName(account) && [id, attempt].every((value) => Number.isSafeInteger(value) && value > 0)
  return isOurs ? { account, id: id as RowId, attempt } : undefined
}
