import { promisify } from 'node:util'
import { brotliCompress, brotliDecompress, constants } from 'node:zlib'
import { type Clock, DAY, formatInstant, parseInstant } from '../../base/clock.ts'
import type { ListedReport, Report, ReportStore } from '../../reports/report.ts'
import { getItem, type Item, putNew, queryItems, type Table } from './dynamo.ts'
import { expiresAtSeconds, keys } from './table.ts'

/** A year, and the time to compare it with the one before. */
const KEPT_MS = 400 * DAY

const compress = promisify(brotliCompress)
const decompress = promisify(brotliDecompress)

/** Reports in DynamoDB: a summary in words, and the details beside it, compressed. */
export function dynamoReportStore(table: Table, clock: Clock): ReportStore {
  const isKept = (item: Item) => Number(item.expires) * 1000 > clock.now()
  return {
    async add(report) {
      // What is there already is the same report.
      await putNew(table, await toItem(report))
    },

    async list(kind, domain, sinceAt, limit) {
      const { pk, sk } = keys.report(kind, domain, sinceAt, '')
      const items = await queryItems(table, {
        condition: '#pk = :pk AND #sk >= :since',
        values: { pk, since: sk },
        limit,
        descending: true,
      })
      return items.filter(isKept).map(readSummary)
    },

    async find(kind, domain, endAt, digest) {
      const item = await getItem(table, keys.report(kind, domain, endAt, digest))
      if (!item || !isKept(item)) return undefined
      const details: unknown = JSON.parse((await decompress(item.details as Uint8Array)).toString())
      return { ...readSummary(item), details } as Report
    },
  }
}

async function toItem(report: Report): Promise<Item> {
  const { details, beginAt, endAt, receivedAt, ...words } = report
  return {
    ...keys.report(report.kind, report.domain, endAt, report.digest),
    ...words,
    beginAt: formatInstant(beginAt),
    endAt: formatInstant(endAt),
    receivedAt: formatInstant(receivedAt),
    details: await compress(JSON.stringify(details), {
      params: { [constants.BROTLI_PARAM_QUALITY]: 4 },
    }),
    expires: expiresAtSeconds(receivedAt + KEPT_MS),
  }
}

function readSummary(item: Item): ListedReport {
  const { kind, domain, digest, sender, organization, reportId, passed, failed } = item as unknown as Report
  return {
    kind,
    domain,
    digest,
    sender,
    organization,
    reportId,
    beginAt: parseInstant(String(item.beginAt)),
    endAt: parseInstant(String(item.endAt)),
    receivedAt: parseInstant(String(item.receivedAt)),
    passed,
    failed,
  }
}
