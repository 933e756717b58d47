import { createPrivateKey, type KeyObject } from 'node:crypto'
import type { DkimSelector, Options } from '../account/options.ts'
import { AddressSyntaxError, type DomainName, parseDomainName } from '../address/domain-name.ts'
import type { Clock } from '../base/clock.ts'
import { lookUp } from '../base/look-up.ts'
import { open, sealingKeys } from '../base/sealed.ts'
import { readMessageFields } from '../message/message-fields.ts'
import { type DkimKeyStore, sealingContext } from './dkim-key-store.ts'
import { dkimSignatures, type Signer } from './sign.ts'

export interface MessageSignerPorts {
  readonly dkimKeys: Pick<DkimKeyStore, 'read'>
  readonly sealingSecret: () => Promise<string>
  readonly clock: Clock
}

/** Signs messages for the domain of their author. */
export interface MessageSigner {
  /**
   * The message with its signatures before it; as it is where its author's domain signs nothing. A mistake in words
   * when a key is missing: mail that lacks a signature which its domain promises would be refused for good.
   */
  sign(options: Options, content: Uint8Array): Promise<Uint8Array | { readonly mistake: string }>
}

const MOST_KEYS = 1000

/** Keys are opened once: a public key never gets another private key. */
export function messageSigner(ports: MessageSignerPorts): MessageSigner {
  const opened = new Map<string, KeyObject>()

  async function privateKey(domain: DomainName, publicKey: string): Promise<KeyObject | undefined> {
    const context = sealingContext(domain, publicKey)
    const known = opened.get(context)
    if (known) return known
    const sealed = await ports.dkimKeys.read(domain, publicKey)
    if (!sealed) return undefined
    const der = Buffer.from(open(sealingKeys(await ports.sealingSecret()), context, sealed))
    const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
    if (opened.size >= MOST_KEYS) opened.clear()
    opened.set(context, key)
    return key
  }

  async function signerOf(domain: DomainName, by: DkimSelector): Promise<Signer | { mistake: string }> {
    const { selector, algorithm, publicKey } = by
    const key = await privateKey(domain, publicKey)
    if (!key) return { mistake: `the private key of DKIM selector ${selector} of ${domain} is missing` }
    return { domain, selector, algorithm, privateKey: key }
  }

  return {
    async sign(options, content) {
      const domain = authorDomain(content)
      const selectors = (domain && lookUp(options.domains, domain)?.dkimSelectors) ?? []
      const signers: Signer[] = []
      for (const by of selectors.filter(({ signs }) => signs)) {
        const signer = domain && (await signerOf(domain, by))
        if (signer && 'mistake' in signer) return signer
        if (signer) signers.push(signer)
      }
      if (signers.length === 0) return content
      return Buffer.concat([Buffer.from(await dkimSignatures(content, signers, ports.clock.now())), content])
    },
  }
}

/** RFC 6376 §3.5 leaves d= open; DMARC wants the author's domain (RFC 7489 §3.1). Undefined without one author. */
function authorDomain(content: Uint8Array): DomainName | undefined {
  const [author, ...others] = readMessageFields(content).from
  if (!author || others.length > 0) return undefined
  try {
    return parseDomainName(author.address.slice(author.address.lastIndexOf('@') + 1))
  } catch (error) {
    if (error instanceof AddressSyntaxError) return undefined
    throw error
  }
}
