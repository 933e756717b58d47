import { randomBytes } from 'node:crypto'
import { type JsonObject, ServiceError } from '../gateway/json-service.ts'
import { requireConfigurationSet } from './configuration-sets.ts'
import { badRequest, notFound, optionalObject, optionalText, requiredText } from './input.ts'
import type { SesSettings } from './settings.ts'
import type { SesStore } from './store.ts'

/** An identity that mail may come from: a domain with all below it, or an address. */
interface Identity {
  readonly name: string
  readonly isVerified: boolean
  readonly configurationSet?: string
  /** What Easy DKIM wants published. */
  readonly tokens: readonly string[]
  readonly keyLength: string
  readonly mailFrom?: { readonly domain: string; readonly onMxFailure: string }
}

/** Domains may count as verified at once; an address never does: nobody reads the mail that SES would send there. */
export function createEmailIdentity(store: SesStore, settings: SesSettings, input: JsonObject): JsonObject {
  const name = requiredText(input, 'EmailIdentity').toLowerCase()
  if (!/^(?:[^\s@]+@)?[a-z0-9-]+(?:\.[a-z0-9-]+)+$/.test(name)) {
    throw badRequest(`Invalid email identity <${name}>.`)
  }
  if (store.identity(name) !== undefined) {
    throw new ServiceError('AlreadyExistsException', `Email identity ${name} already exist.`)
  }
  const configurationSet = optionalText(input, 'ConfigurationSetName')
  if (configurationSet !== undefined) requireConfigurationSet(store, configurationSet)
  const signing = optionalObject(input, 'DkimSigningAttributes') ?? {}
  if ('DomainSigningPrivateKey' in signing) throw badRequest('The local SES has Easy DKIM only.')
  const isDomain = !name.includes('@')
  const identity: Identity = {
    name,
    isVerified: isDomain && settings.verifiesDomains,
    ...(configurationSet !== undefined && { configurationSet }),
    tokens: isDomain ? Array.from({ length: 3 }, newToken) : [],
    keyLength: optionalText(signing, 'NextSigningKeyLength') ?? 'RSA_2048_BIT',
  }
  keep(store, identity)
  return {
    IdentityType: isDomain ? 'DOMAIN' : 'EMAIL_ADDRESS',
    VerifiedForSendingStatus: identity.isVerified,
    DkimAttributes: dkimOf(identity),
  }
}

export function getEmailIdentity(store: SesStore, input: JsonObject): JsonObject {
  const identity = requireIdentity(store, input)
  const { name, isVerified, configurationSet, mailFrom } = identity
  return {
    IdentityType: name.includes('@') ? 'EMAIL_ADDRESS' : 'DOMAIN',
    FeedbackForwardingStatus: true,
    VerifiedForSendingStatus: isVerified,
    VerificationStatus: isVerified ? 'SUCCESS' : 'PENDING',
    DkimAttributes: dkimOf(identity),
    MailFromAttributes: {
      BehaviorOnMxFailure: mailFrom?.onMxFailure ?? 'USE_DEFAULT_VALUE',
      ...(mailFrom && {
        MailFromDomain: mailFrom.domain,
        MailFromDomainStatus: isVerified ? 'SUCCESS' : 'PENDING',
      }),
    },
    Policies: {},
    Tags: [],
    ...(configurationSet !== undefined && { ConfigurationSetName: configurationSet }),
  }
}

export function deleteEmailIdentity(store: SesStore, input: JsonObject): JsonObject {
  store.deleteIdentity(requireIdentity(store, input).name)
  return {}
}

export function putEmailIdentityMailFromAttributes(store: SesStore, input: JsonObject): JsonObject {
  const { mailFrom: _, ...identity } = requireIdentity(store, input)
  const domain = optionalText(input, 'MailFromDomain')?.toLowerCase()
  const onMxFailure = optionalText(input, 'BehaviorOnMxFailure') ?? 'USE_DEFAULT_VALUE'
  const parent = identity.name.slice(identity.name.indexOf('@') + 1)
  if (domain !== undefined && !domain.endsWith(`.${parent}`)) {
    const problem = `is not subdomain of the domain of the identity <${identity.name}>`
    throw badRequest(`Provided MAIL-FROM domain <${domain}> ${problem}.`)
  }
  keep(store, domain === undefined ? identity : { ...identity, mailFrom: { domain, onMxFailure } })
  return {}
}

/** Whether mail may come from an address: it, its domain or a domain above that is verified. */
export function mayBeSender(store: SesStore, address: string): boolean {
  const domain = address.slice(address.lastIndexOf('@') + 1).toLowerCase()
  const labels = domain.split('.')
  const domains = labels.map((_, index) => labels.slice(index).join('.'))
  return [address.toLowerCase(), ...domains].some((name) => find(store, name)?.isVerified)
}

function requireIdentity(store: SesStore, input: JsonObject): Identity {
  const name = requiredText(input, 'EmailIdentity').toLowerCase()
  const found = find(store, name)
  if (found === undefined) throw notFound(`Email identity ${name} does not exist.`)
  return found
}

function find(store: SesStore, name: string): Identity | undefined {
  const document = store.identity(name)
  return document === undefined ? undefined : JSON.parse(document)
}

function keep(store: SesStore, identity: Identity): void {
  store.setIdentity(identity.name, JSON.stringify(identity))
}

function dkimOf({ isVerified, tokens, keyLength }: Identity): JsonObject {
  return {
    SigningEnabled: tokens.length > 0,
    Status: tokens.length === 0 ? 'NOT_STARTED' : isVerified ? 'SUCCESS' : 'PENDING',
    Tokens: tokens,
    SigningAttributesOrigin: 'AWS_SES',
    NextSigningKeyLength: keyLength,
    CurrentSigningKeyLength: keyLength,
  }
}

function newToken(): string {
  const letters = 'abcdefghijklmnopqrstuvwxyz234567'
  return Array.from(randomBytes(32), (byte) => letters[byte % 32]).join('')
}
