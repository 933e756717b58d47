import { Hono } from 'hono'
import * as z from 'zod/mini'
import type { DkimSelector } from '../account/options.ts'
import type { DomainName } from '../address/domain-name.ts'
import { addSelector, removeSelector, SelectorError, setSigning } from '../dkim/change-selectors.ts'
import {
  type DkimAlgorithm,
  type DkimKeyPair,
  dkimRecord,
  newDkimKeyPair,
  readDkimKeyPair,
} from '../dkim/dkim-key.ts'
import type { AdminPorts } from './admin-ports.ts'
import { hostedDomain } from './domains.ts'
import { readDomain } from './fields.ts'
import { answer, RequestError, readBody } from './request.ts'

/** A selector of a domain, and the record that is to be published for it. */
export interface DkimSelectorJson {
  readonly Selector: string
  readonly Algorithm: DkimAlgorithm
  /** Whether mail is signed with it. */
  readonly Sign: boolean
  /** The TXT record: its absolute name without the last dot, and its text. */
  readonly Record: { readonly Name: string; readonly Text: string }
}

/** RFC 6376 §3.1: labels, in lower case here because DNS knows no other. */
const selectorName = z
  .string()
  .check(
    z.refine(
      (text) =>
        /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/.test(text) && text.length <= 63,
      'must be 1 to 63 lower-case letters, digits, dashes, and dots between them',
    ),
  )

const newSelector = z.strictObject({
  Selector: z.optional(selectorName),
  Algorithm: z.optional(z.enum(['rsa-sha256', 'ed25519-sha256'])),
  /** PEM; without one a key is made. */
  PrivateKey: z.optional(z.string()),
  Sign: z._default(z.boolean(), true),
})
const changedSelector = z.strictObject({ Sign: z.boolean() })

/** DKIM selectors of a domain: list, add, sign or not, remove. Private keys come in and never go out. */
export function dkimRoutes(ports: AdminPorts): Hono {
  const routes = new Hono()
  const path = '/:domain/dkim'
  const existing = async (text: string): Promise<DomainName> => {
    const domain = readDomain('Domain', text)
    hostedDomain(await ports.options.readNewest(), domain)
    return domain
  }
  routes.get(path, async (context) => {
    const domain = await existing(context.req.param('domain'))
    const { dkimSelectors = [] } = hostedDomain(await ports.options.readNewest(), domain)
    return answer(
      context,
      dkimSelectors.map((selector) => selectorJson(domain, selector)),
    )
  })
  routes.post(path, async (context) => {
    const domain = await existing(context.req.param('domain'))
    const { Selector, Algorithm, PrivateKey, Sign } = await readBody(context, newSelector)
    const keys = await readKeys(Algorithm, PrivateKey)
    const added = await orRefused(
      addSelector(ports, domain, {
        ...(Selector !== undefined && { selector: Selector }),
        ...keys,
        signs: Sign,
      }),
    )
    return answer(context, selectorJson(domain, added))
  })
  routes.patch(`${path}/:selector`, async (context) => {
    const domain = await existing(context.req.param('domain'))
    const { Sign } = await readBody(context, changedSelector)
    const changed = await orRefused(setSigning(ports, domain, context.req.param('selector'), Sign))
    return answer(context, selectorJson(domain, changed))
  })
  routes.delete(`${path}/:selector`, async (context) => {
    const domain = await existing(context.req.param('domain'))
    await orRefused(removeSelector(ports, domain, context.req.param('selector')))
    return answer(context, {})
  })
  return routes
}

async function readKeys(
  algorithm: DkimAlgorithm | undefined,
  pem: string | undefined,
): Promise<{ readonly algorithm: DkimAlgorithm; readonly keys: DkimKeyPair }> {
  if (pem === undefined) {
    const made = algorithm ?? 'rsa-sha256'
    return { algorithm: made, keys: await newDkimKeyPair(made) }
  }
  try {
    const keys = readDkimKeyPair(pem)
    if (algorithm === undefined || algorithm === keys.algorithm) return { algorithm: keys.algorithm, keys }
  } catch (error) {
    if (error instanceof RangeError) throw new RequestError('PrivateKey', error.message)
    throw error
  }
  throw new RequestError('PrivateKey', `must be a key for ${algorithm}`)
}

async function orRefused<T>(change: Promise<T>): Promise<T> {
  try {
    return await change
  } catch (error) {
    if (error instanceof SelectorError) throw new RequestError('Selector', error.message)
    throw error
  }
}

function selectorJson(domain: DomainName, selector: DkimSelector): DkimSelectorJson {
  return {
    Selector: selector.selector,
    Algorithm: selector.algorithm,
    Sign: selector.signs,
    Record: { Name: `${selector.selector}._domainkey.${domain}`, Text: dkimRecord(selector) },
  }
}
