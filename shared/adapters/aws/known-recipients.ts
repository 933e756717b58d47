import { type Address, formatUnicodeAddress } from '../../address/address.ts'
import { type Clock, DAY, formatInstant } from '../../base/clock.ts'
import type { KnownRecipients } from '../../limits/known-recipients.ts'
import { changeItem, getItems, type Table } from './dynamo.ts'
import { expiresAtSeconds, keys } from './table.ts'

const KNOWN_MS = 180 * DAY
const WRITES_IN_FLIGHT = 25

/** Recipients by the items of their history, which deliveries write too. */
export function dynamoKnownRecipients(table: Table, clock: Clock): KnownRecipients {
  return {
    async unknown(account, recipients) {
      const byText = new Map(recipients.map((recipient) => [formatUnicodeAddress(recipient), recipient]))
      const items = await getItems(
        table,
        [...byText.keys()].map((text) => keys.recipient(account, text)),
      )
      for (const item of items) {
        if (Number(item.expires) * 1000 > clock.now()) byText.delete(String(item.sk))
      }
      return [...byText.values()]
    },

    async remember(account, recipients) {
      for (let start = 0; start < recipients.length; start += WRITES_IN_FLIGHT) {
        const some = recipients.slice(start, start + WRITES_IN_FLIGHT)
        await Promise.all(some.map((recipient) => remember(table, clock, account, recipient)))
      }
    },
  }
}

async function remember(table: Table, clock: Clock, account: string, recipient: Address): Promise<void> {
  const now = clock.now()
  await changeItem(table, {
    key: keys.recipient(account, formatUnicodeAddress(recipient)),
    update: 'SET #firstSentAt = if_not_exists(#firstSentAt, :now), #expires = :expires',
    values: { now: formatInstant(now), expires: expiresAtSeconds(now + KNOWN_MS) },
  })
}
