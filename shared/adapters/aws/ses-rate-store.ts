import type { Instant } from '../../base/clock.ts'
import type { SesQuota } from '../../ses/ses-client.ts'
import type { SesRateState, SesRateStore } from '../../ses/ses-rate.ts'
import { changeItem, getItem, type Item, type Table } from './dynamo.ts'
import { keys } from './table.ts'

/** The turns of all workers in DynamoDB, in one item, whose times are numbers: DynamoDB adds to them itself. */
export function dynamoSesRateStore(table: Table): SesRateStore {
  const key = keys.sesRate()
  let lastSeen = 0

  /** A write whose answer was lost is repeated by the SDK: then turns pass without a message. */
  async function advanceBy(which: string, from: Instant, byMs: number): Promise<Item | undefined> {
    return await changeItem(table, {
      key,
      update: `SET #${which} = #${which} + :by`,
      condition: `#${which} >= :from`,
      values: { by: byMs, from },
    })
  }

  async function begin(which: string, from: Instant, byMs: number): Promise<Item | undefined> {
    return await changeItem(table, {
      key,
      update: `SET #${which} = :to`,
      condition: `attribute_not_exists(#${which}) OR #${which} < :from`,
      values: { to: from + byMs, from },
    })
  }

  return {
    async read() {
      const item = (await getItem(table, key)) ?? {}
      const { turnAt = 0, returnAt = 0, quota, quotaReadAt = 0 } = item as Partial<StoredRate>
      const state: SesRateState = {
        turnAt,
        returnAt,
        ...(quota && { quota: { ...quota, readAt: quotaReadAt } }),
      }
      return state
    },

    async advance(which, from, byMs) {
      const ways = lastSeen >= from ? [advanceBy, begin] : [begin, advanceBy]
      for (let tries = 0; tries < MOST_TRIES; tries++) {
        for (const way of ways) {
          const item = await way(which, from, byMs)
          if (item) {
            lastSeen = Number(item[which])
            return lastSeen
          }
        }
      }
      throw new Error('the turns of SES moved faster than one could be taken')
    },

    async pause(until) {
      await changeItem(table, {
        key,
        update: 'SET #turnAt = :until',
        condition: 'attribute_not_exists(#turnAt) OR #turnAt < :until',
        values: { until },
      })
    },

    async keepQuota(quota, readAt) {
      await changeItem(table, {
        key,
        update: 'SET #quota = :quota, #quotaReadAt = :readAt',
        condition: 'attribute_not_exists(#quotaReadAt) OR #quotaReadAt < :readAt',
        values: { quota, readAt },
      })
    },
  }
}

const MOST_TRIES = 10

interface StoredRate {
  readonly turnAt: Instant
  readonly returnAt: Instant
  readonly quota: SesQuota
  readonly quotaReadAt: Instant
}
