import { Hono } from 'hono'
import * as z from 'zod/mini'
import type { HoldRule } from '../account/options.ts'
import { formatUnicodeAddress } from '../address/address.ts'
import { type DomainName, formatUnicodeDomain } from '../address/domain-name.ts'
import { formatInstant } from '../base/clock.ts'
import { parseRulePlace, ruleReason } from '../queue/hold-rules.ts'
import type { AdminPorts } from './admin-ports.ts'
import { accountNames } from './list-query.ts'
import { beginOperation } from './operations.ts'
import { answer, NotFoundError, RequestError, readBody } from './request.ts'

/** A hold rule; a text that is empty matches everything. */
export interface HoldRuleJson {
  readonly ID: number
  readonly Created: string
  readonly Account: string
  /** An address or a domain. */
  readonly Sender: string
  readonly Recipient: string
}

const MOST_RULES = 1000

const ruleBody = z.strictObject({
  Account: z._default(z.string(), ''),
  Sender: z._default(z.string(), ''),
  Recipient: z._default(z.string(), ''),
})

/**
 * Hold rules: list, add, remove. A new one holds the messages that wait, and new ones; removing it releases none.
 */
export function holdRuleRoutes(ports: AdminPorts): Hono {
  const routes = new Hono()
  routes.get('/', async (context) => {
    const { holdRules } = await ports.options.readNewest()
    return answer(context, holdRules.map(holdRuleJson))
  })
  routes.post('/', async (context) => {
    const rule = await addRule(ports, await readBody(context, ruleBody))
    await holdWaiting(ports, rule)
    return answer(context, holdRuleJson(rule))
  })
  routes.delete('/:id', async (context) => {
    const id = Number(context.req.param('id'))
    await ports.options.change((options) => {
      const holdRules = options.holdRules.filter((rule) => rule.id !== id)
      if (holdRules.length === options.holdRules.length) {
        throw new NotFoundError(`there is no hold rule ${context.req.param('id')}`)
      }
      return { ...options, holdRules }
    })
    return answer(context, {})
  })
  return routes
}

async function addRule(
  ports: AdminPorts,
  { Account, Sender, Recipient }: z.output<typeof ruleBody>,
): Promise<HoldRule> {
  accountNames(await ports.options.readNewest(), Account || undefined)
  const places = { sender: readPlace('Sender', Sender), recipient: readPlace('Recipient', Recipient) }
  const { holdRules } = await ports.options.change((options) => {
    if (options.holdRules.length >= MOST_RULES) {
      throw new RequestError('holdrules', `there are ${MOST_RULES} already, which is the most`)
    }
    // The version grows with every change: no number is given twice.
    const id = options.version + 1
    const rule = { id, createdAt: ports.clock.now(), account: Account, ...places }
    return { ...options, holdRules: [...options.holdRules, rule] }
  })
  const [added] = holdRules.slice(-1)
  if (!added) throw new Error('a rule that was added is not there')
  return added
}

/** Those that wait already; the last of many are held a little later, and none is attempted meanwhile. */
async function holdWaiting(ports: AdminPorts, rule: HoldRule): Promise<void> {
  const filter = rule.account === '' ? {} : { account: rule.account }
  const work = {
    queue: 'messages',
    filter,
    rule,
    action: { kind: 'hold', reason: ruleReason(rule) },
  } as const
  await beginOperation(ports, await ports.options.readNewest(), work, false)
}

function readPlace(field: string, text: string): string {
  if (text === '') return ''
  const place = parseRulePlace(text)
  if (place !== undefined) return place
  throw new RequestError(field, 'must be an address or a domain name')
}

function holdRuleJson({ id, createdAt, account, sender, recipient }: HoldRule): HoldRuleJson {
  return {
    ID: id,
    Created: formatInstant(createdAt),
    Account: account,
    Sender: shown(sender),
    Recipient: shown(recipient),
  }
}

/** A place is kept as it is compared: its local part without quotes. */
function shown(place: string): string {
  if (place === '') return ''
  const at = place.lastIndexOf('@')
  const domain = place.slice(at + 1) as DomainName
  return at < 0
    ? formatUnicodeDomain(domain)
    : formatUnicodeAddress({ localpart: place.slice(0, at), domain })
}
