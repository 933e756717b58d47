import { type Context, Hono } from 'hono'
import * as z from 'zod/mini'
import { rowIdAt } from '../base/row-id.ts'
import { baseAddress } from '../suppression/base-address.ts'
import { FileSyntaxError } from '../suppression/csv.ts'
import { newSuppression } from '../suppression/new-suppression.ts'
import type { Suppression } from '../suppression/suppression.ts'
import {
  csvHeading,
  csvOfSuppression,
  decodeFile,
  type FileRow,
  readCsvRows,
  readJsonRows,
} from '../suppression/suppression-file.ts'
import { type SuppressionJson, wireSuppression } from '../suppression/wire-suppression.ts'
import { existingAccount } from './accounts.ts'
import { readAddress } from './addresses.ts'
import type { AdminPorts } from './admin-ports.ts'
import { reasonField } from './fields.ts'
import { accountNames, listQuery } from './list-query.ts'
import { answer, NotFoundError, RequestError, readBody, readQuery } from './request.ts'
import { importSuppressions } from './suppression-import.ts'

/** How many entries an export answers at a time. */
const EXPORT_PAGE = 1000
/** DynamoDB's limit of a sort key. */
const LONGEST_AFTER_OCTETS = 1024

const after = z
  .string()
  .check(
    z.refine(
      (text) => text !== '' && Buffer.byteLength(text) <= LONGEST_AFTER_OCTETS,
      `must be 1 to ${LONGEST_AFTER_OCTETS} octets`,
    ),
  )
const pageQuery = z.extend(listQuery, { after: z.optional(after) })
const exportQuery = z.strictObject({
  account: z.optional(z.string()),
  after: z.optional(after),
  format: z._default(z.enum(['csv', 'json']), 'csv'),
})
const lookupQuery = z.strictObject({ account: z.optional(z.string()), address: z.string() })
const importQuery = z.strictObject({ dryrun: z._default(z.enum(['true', 'false']), 'false') })
const addBody = z.strictObject({
  Reason: z._default(reasonField, ''),
  Manual: z._default(z.boolean(), true),
})

/**
 * Suppression lists: page, look up, add, remove, import, export. Pages go by account and base address; the header
 * field Link names the next one (RFC 8288), and `after` is the last entry's base address, `account/baseaddress`
 * where no account is named.
 */
export function suppressionRoutes(ports: AdminPorts): Hono {
  const routes = new Hono()
  routes.get('/', async (context) => {
    const { limit, ...range } = readQuery(context, pageQuery)
    return answer(context, await answerPage(ports, context, { ...range, limit: Number(limit) }))
  })
  routes.get('/export', async (context) => {
    const { format, ...range } = readQuery(context, exportQuery)
    const entries = await answerPage(ports, context, { ...range, limit: EXPORT_PAGE })
    if (format === 'json') return answer(context, entries)
    const csv = csvHeading + entries.map(csvOfSuppression).join('')
    return context.body(csv, 200, { 'Content-Type': 'text/csv; charset=utf-8; header=present' })
  })
  routes.get('/lookup', async (context) => {
    const { account, address } = readQuery(context, lookupQuery)
    const base = baseAddress(readAddress('address', address))
    const { accounts } = await ports.options.readNewest()
    const names = Object.keys(accounts).filter((name) => account === undefined || name === account)
    const wanted = names.sort().map((name) => ({ account: name, baseAddress: base }))
    return answer(context, (await ports.suppressions.findAll(wanted)).map(wireSuppression))
  })
  // A local part may hold a slash, and a gateway may have decoded it.
  routes.put('/:account/:address{.+}', async (context) => answer(context, await addOne(ports, context)))
  routes.delete('/:account/:address{.+}', async (context) => {
    const { account, address } = context.req.param()
    const base = baseAddress(readAddress('Address', address))
    existingAccount(await ports.options.readNewest(), account)
    if (await ports.suppressions.remove(account, base)) return answer(context, {})
    throw new NotFoundError(`${base} is not on the list of account ${account}`)
  })
  routes.post('/:account/import', async (context) => {
    const account = context.req.param('account')
    const { dryrun } = readQuery(context, importQuery)
    existingAccount(await ports.options.readNewest(), account)
    const rows = await readRows(context)
    return answer(context, await importSuppressions(ports, account, rows, { dryRun: dryrun === 'true' }))
  })
  return routes
}

interface PageRange {
  readonly account?: string | undefined
  readonly after?: string | undefined
  readonly limit: number
}

/** Reads one entry more than the page has, to see whether there is a next page. */
async function answerPage(
  ports: AdminPorts,
  context: Context,
  range: PageRange,
): Promise<readonly SuppressionJson[]> {
  const found = await readEntries(ports, { ...range, limit: range.limit + 1 })
  const page = found.slice(0, range.limit)
  const last = page.at(-1)
  if (found.length > page.length && last) {
    const next = range.account === undefined ? `${last.account}/${last.baseAddress}` : last.baseAddress
    const query = new URLSearchParams({ ...context.req.query(), after: next })
    context.header('Link', `<?${query}>; rel="next"`)
  }
  return page.map(wireSuppression)
}

/** Account by account, until there are enough: the others are not asked. */
async function readEntries(ports: AdminPorts, range: PageRange): Promise<readonly Suppression[]> {
  const { account, limit } = range
  const names = accountNames(await ports.options.readNewest(), account)
  const start = account === undefined ? readStart(range.after) : { account, after: range.after }
  const entries: Suppression[] = []
  for (const name of names.filter((each) => each >= start.account)) {
    const behind = name === start.account ? start.after : undefined
    entries.push(...(await ports.suppressions.page(name, { after: behind, limit: limit - entries.length })))
    if (entries.length === limit) break
  }
  return entries
}

function readStart(text: string | undefined): { readonly account: string; readonly after?: string } {
  if (text === undefined) return { account: '' }
  const [, account, base] = /^([^/]*)\/(.+)$/s.exec(text) ?? []
  if (account !== undefined && base !== undefined) return { account, after: base }
  throw new RequestError('after', 'must be account/baseaddress where no account is named')
}

async function addOne(ports: AdminPorts, context: Context): Promise<SuppressionJson> {
  const { account = '', address = '' } = context.req.param()
  const { Reason, Manual } = await readBody(context, addBody)
  const createdAt = ports.clock.now()
  const entry = newSuppression(readAddress('Address', address), {
    id: rowIdAt(createdAt, Math.floor(ports.random.fraction() * 4096)),
    account,
    createdAt,
    manual: Manual,
    reason: Reason,
  })
  existingAccount(await ports.options.readNewest(), account)
  if (await ports.suppressions.add(entry)) return wireSuppression(entry)
  throw new RequestError('Address', `${entry.baseAddress} is on the list of account ${account} already`)
}

/** The media type says what the body is, because a list of bare addresses could be anything. */
async function readRows(context: Context): Promise<readonly FileRow[]> {
  const [type = ''] = (context.req.header('Content-Type') ?? '').toLowerCase().split(';')
  const isCsv = type.trim() === 'text/csv'
  if (!isCsv && type.trim() !== 'application/json') {
    throw new RequestError('Content-Type', 'must be application/json or text/csv')
  }
  try {
    const text = decodeFile(await context.req.arrayBuffer())
    return isCsv ? readCsvRows(text) : readJsonRows(text)
  } catch (error) {
    if (error instanceof FileSyntaxError) throw new RequestError('body', error.message)
    throw error
  }
}
