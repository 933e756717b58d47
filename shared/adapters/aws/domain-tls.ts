import { type Clock, DAY, formatInstant, type Instant } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { hostName } from '../../dns/names.ts'
import type { DomainTls } from '../../tls-results/domain-tls.ts'
import { changeItem, type Table } from './dynamo.ts'
import { expiresAtSeconds, keys } from './table.ts'

const KEPT_MS = 90 * DAY
/** What did not change is written so often at most. */
const REPEATED_MS = DAY
const MOST_REMEMBERED = 10_000

/** What the servers of domains can do, in DynamoDB. The process remembers what it wrote, to write little. */
export function dynamoDomainTls(table: Table, clock: Clock, log: Log): DomainTls {
  const written = new Map<string, { readonly support: string; readonly at: Instant }>()
  return {
    async note(account, domain, { starttls, requiretls }) {
      const name = hostName(domain)
      if (name === undefined) return
      const { pk, sk } = keys.domainTls(account, name)
      const [known, support, now] = [written.get(`${pk} ${sk}`), `${starttls} ${requiretls}`, clock.now()]
      if (known && known.support === support && known.at > now - REPEATED_MS) return
      try {
        await changeItem(table, {
          key: { pk, sk },
          update:
            'SET #starttls = :starttls, #requiretls = :requiretls, #notedAt = :now, #expires = :expires',
          condition: 'attribute_not_exists(#notedAt) OR #notedAt <= :now',
          values: { starttls, requiretls, now: formatInstant(now), expires: expiresAtSeconds(now + KEPT_MS) },
        })
        if (written.size >= MOST_REMEMBERED) written.clear()
        written.set(`${pk} ${sk}`, { support, at: now })
      } catch (error) {
        log.error('TLS support of a domain not noted', error, { account, domain })
      }
    },
  }
}
