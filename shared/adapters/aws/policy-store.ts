import { type Clock, DAY, formatInstant, parseInstant } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { KnownPolicies, KnownPolicy } from '../../mta-sts/known-policies.ts'
import { formatPolicy, parsePolicy, type StsPolicy } from '../../mta-sts/policy.ts'
import type { PolicyStore, StoredPolicy } from '../../mta-sts/policy-store.ts'
import { type Change, changeItem, deleteItem, getItem, type Item, queryItems, type Table } from './dynamo.ts'
import { expiresAtSeconds, keys } from './table.ts'

/** MTA-STS policies in DynamoDB: all in one partition, so that the refresh finds them without reading the table. */
export function dynamoPolicyStore(table: Table, clock: Clock, log: Log): PolicyStore & KnownPolicies {
  return {
    async get(domain) {
      const item = await getItem(table, keys.stsPolicy(domain))
      if (!item) return undefined
      await noteUse(table, clock, item).catch((error: unknown) => {
        // The next mail notes it.
        log.error('use of an MTA-STS policy not noted', error, { domain })
      })
      return readPolicy(item)
    },

    async put(domain, stored) {
      await changeItem(table, { key: keys.stsPolicy(domain), ...changeFor(stored, clock) })
    },

    async takeTurn(untilAt) {
      const until = formatInstant(untilAt)
      const change = {
        key: keys.stsRefresh(),
        update: 'SET #untilAt = :until, #expires = :expires',
        condition: 'attribute_not_exists(#untilAt) OR #untilAt <= :now',
        values: { until, expires: expiresAtSeconds(untilAt), now: formatInstant(clock.now()) },
      }
      return (await changeItem(table, change, (item) => item.untilAt === until)) !== undefined
    },

    async list(after, limit) {
      const first = keys.stsRefresh()
      const items = await queryItems(table, {
        condition: '#pk = :pk AND #sk > :after',
        filter: 'attribute_exists(#policy) AND #validUntilAt > :now',
        values: { pk: first.pk, after: after ?? first.sk, now: formatInstant(clock.now()) },
        limit,
      })
      return items.flatMap(readKnown)
    },

    async extend({ domain, recordId }, validUntilAt) {
      await changeItem(table, {
        key: keys.stsPolicy(domain),
        update: `SET ${VALIDITY}, #checkedAt = :now REMOVE #retryAt`,
        condition: '#recordId = :recordId AND attribute_exists(#policy)',
        values: { recordId, ...validity(validUntilAt), now: formatInstant(clock.now()) },
      })
    },

    async forget({ domain, checkedAt, usedAt }) {
      await deleteItem(table, keys.stsPolicy(domain), {
        expression: '#checkedAt = :checkedAt AND #usedAt = :usedAt',
        values: { checkedAt: formatInstant(checkedAt), usedAt: formatInstant(usedAt) },
      })
    },
  }
}

const VALIDITY = '#validUntilAt = :validUntilAt, #expires = :expires'

function validity(validUntilAt: number) {
  return { validUntilAt: formatInstant(validUntilAt), expires: expiresAtSeconds(validUntilAt) }
}

/** A failure never takes a policy away that is valid, and no fetch one that was fetched later. */
function changeFor(stored: StoredPolicy, clock: Clock): Omit<Change, 'key'> {
  const { recordId, policy, validUntilAt, retryAt } = stored
  const now = formatInstant(clock.now())
  const retry = retryAt === undefined ? undefined : formatInstant(retryAt)
  if (policy && retry !== undefined) {
    return {
      update: 'SET #retryAt = :retry',
      condition: '#recordId = :recordId AND attribute_exists(#policy)',
      values: { recordId, retry },
    }
  }
  if (policy) {
    return {
      update: `SET #recordId = :recordId, #policy = :policy, ${VALIDITY}, #checkedAt = :now, #usedAt = if_not_exists(#usedAt, :now) REMOVE #retryAt`,
      condition: 'attribute_not_exists(#checkedAt) OR #checkedAt <= :now',
      values: { recordId, policy: formatPolicy(policy), ...validity(validUntilAt), now },
    }
  }
  return {
    update: `SET #recordId = :recordId, #retryAt = :retry, ${VALIDITY}, #usedAt = if_not_exists(#usedAt, :now) REMOVE #policy, #checkedAt`,
    condition: 'attribute_not_exists(#policy) OR #validUntilAt <= :now',
    values: { recordId, retry, ...validity(validUntilAt), now },
  }
}

/** Once a day at most: a write for each message would cost more than the policy. */
async function noteUse(table: Table, clock: Clock, { sk, usedAt }: Item): Promise<void> {
  const now = clock.now()
  const dayAgo = formatInstant(now - DAY)
  if (String(usedAt) > dayAgo) return
  await changeItem(table, {
    key: keys.stsPolicy(String(sk)),
    update: 'SET #usedAt = :now',
    condition: '#usedAt <= :dayAgo',
    values: { now: formatInstant(now), dayAgo },
  })
}

/** Undefined where the text of the policy is not what we can read any more: it is had again like one that is not known. */
function readPolicy(item: Item): StoredPolicy | undefined {
  const policy = policyOf(item)
  if (item.policy !== undefined && !policy) return undefined
  return {
    recordId: String(item.recordId),
    ...(policy && { policy }),
    validUntilAt: parseInstant(String(item.validUntilAt)),
    ...(item.retryAt !== undefined && { retryAt: parseInstant(String(item.retryAt)) }),
  }
}

function readKnown(item: Item): readonly KnownPolicy[] {
  const stored = readPolicy(item)
  if (!stored?.policy) return []
  return [
    {
      ...stored,
      policy: stored.policy,
      domain: String(item.sk),
      checkedAt: parseInstant(String(item.checkedAt)),
      usedAt: parseInstant(String(item.usedAt)),
    },
  ]
}

/** Policies are kept as they are published, for people to read. */
function policyOf(item: Item): StsPolicy | undefined {
  const read = parsePolicy(String(item.policy))
  return 'policy' in read ? read.policy : undefined
}
