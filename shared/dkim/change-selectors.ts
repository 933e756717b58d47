import type { DkimSelector, HostedDomain, Options } from '../account/options.ts'
import type { OptionsStore } from '../account/options-store.ts'
import type { DomainName } from '../address/domain-name.ts'
import type { Clock } from '../base/clock.ts'
import { lookUp } from '../base/look-up.ts'
import type { Random } from '../base/random.ts'
import { seal, sealingKeys } from '../base/sealed.ts'
import type { DkimAlgorithm, DkimKeyPair } from './dkim-key.ts'
import { type DkimKeyStore, sealingContext } from './dkim-key-store.ts'

export interface SelectorPorts {
  readonly options: OptionsStore
  readonly dkimKeys: DkimKeyStore
  readonly sealingSecret: () => Promise<string>
  readonly clock: Clock
  readonly random: Random
}

/** A selector that is to be. Without a name it gets the next free one of its year, such as `2026b`. */
export interface NewSelector {
  readonly selector?: string
  readonly algorithm: DkimAlgorithm
  readonly keys: DkimKeyPair
  readonly signs: boolean
}

/** What a change of selectors asks for that cannot be. */
export class SelectorError extends Error {
  override readonly name = 'SelectorError'
}

/** More would make every message longer, and who verifies looks at a few signatures only (RFC 6376 §6.1). */
const MOST_SELECTORS = 8

/** Adds a selector. Its key is there before anybody is told to sign with it. Throws {@link SelectorError}. */
export async function addSelector(
  ports: SelectorPorts,
  domain: DomainName,
  { selector: wanted, algorithm, keys, signs }: NewSelector,
): Promise<DkimSelector> {
  const { privateKey, publicKey } = keys
  const secret = sealingKeys(await ports.sealingSecret())
  const sealed = seal(secret, ports.random, sealingContext(domain, publicKey), privateKey)
  await ports.dkimKeys.keep(domain, publicKey, sealed)
  const after = await ports.options.change((options) =>
    withSelectors(options, domain, (selectors) => {
      if (selectors.length >= MOST_SELECTORS) {
        throw new SelectorError(`a domain has at most ${MOST_SELECTORS} selectors`)
      }
      const selector = wanted ?? freeName(selectors, new Date(ports.clock.now()).getUTCFullYear())
      if (selectors.some((other) => other.selector === selector)) {
        throw new SelectorError(`there is a selector ${selector} already`)
      }
      return [...selectors, { selector, algorithm, publicKey, signs }]
    }),
  )
  const added = selectorsOf(after, domain).findLast((each) => each.publicKey === publicKey)
  if (!added) throw new Error('a selector that was added is not there')
  return added
}

/** Begins or ends signing with a selector. Throws {@link SelectorError}. */
export async function setSigning(
  { options }: Pick<SelectorPorts, 'options'>,
  domain: DomainName,
  selector: string,
  signs: boolean,
): Promise<DkimSelector> {
  const after = await options.change((before) =>
    withSelectors(before, domain, (selectors) => {
      existing(selectors, selector)
      return selectors.map((each) => (each.selector === selector ? { ...each, signs } : each))
    }),
  )
  return existing(selectorsOf(after, domain), selector)
}

/**
 * Removes a selector, then its key, unless another selector has the same: whoever still signs with it has opened it
 * before. Throws {@link SelectorError}.
 */
export async function removeSelector(
  { options, dkimKeys }: Pick<SelectorPorts, 'options' | 'dkimKeys'>,
  domain: DomainName,
  selector: string,
): Promise<void> {
  let removed: DkimSelector | undefined
  const after = await options.change((before) =>
    withSelectors(before, domain, (selectors) => {
      removed = existing(selectors, selector)
      return selectors.filter((each) => each.selector !== selector)
    }),
  )
  const publicKey = removed?.publicKey
  const isUsed = selectorsOf(after, domain).some((each) => each.publicKey === publicKey)
  if (publicKey !== undefined && !isUsed) await dkimKeys.remove(domain, publicKey)
}

function withSelectors(
  options: Options,
  domain: DomainName,
  edit: (selectors: readonly DkimSelector[]) => readonly DkimSelector[],
): Options {
  const hosted: HostedDomain | undefined = lookUp(options.domains, domain)
  if (!hosted) throw new SelectorError(`there is no domain ${domain}`)
  const dkimSelectors = edit(hosted.dkimSelectors ?? [])
  return { ...options, domains: { ...options.domains, [domain]: { ...hosted, dkimSelectors } } }
}

function selectorsOf(options: Options, domain: DomainName): readonly DkimSelector[] {
  return lookUp(options.domains, domain)?.dkimSelectors ?? []
}

function existing(selectors: readonly DkimSelector[], selector: string): DkimSelector {
  const found = selectors.find((each) => each.selector === selector)
  if (!found) throw new SelectorError(`there is no selector ${selector}`)
  return found
}

function freeName(selectors: readonly DkimSelector[], year: number): string {
  const names = [...'abcdefghijklmnopqrstuvwxyz'].map((letter) => `${year}${letter}`)
  const free = names.find((name) => !selectors.some(({ selector }) => selector === name))
  if (free === undefined) throw new SelectorError(`all selector names of ${year} are taken`)
  return free
}
