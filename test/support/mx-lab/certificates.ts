import { DAY } from '../../../shared/base/clock.ts'
import {
  type CertificateTerms,
  makeAuthority,
  makeCertificate,
  type TestCertificate,
} from '../certificates.ts'

/** The authority that the process of a test is to trust. */
export const trustedAuthority = await makeAuthority({ subject: 'Trusted' })

/** Terms whose issuer is one of these by its name. */
type NamedTerms = Omit<CertificateTerms, 'issuer'> & { readonly issuer?: string }

const past = { validFrom: new Date(Date.now() - 3 * DAY), validTo: new Date(Date.now() - DAY) }

/** What servers of a domain may show. */
function termsOf(domain: string): Readonly<Record<string, NamedTerms>> {
  const names = ['mx', 'one', 'two', 'real'].map((host) => `${host}.${domain}`)
  return {
    own: { names },
    foreign: { names },
    'own, of another name': { names: ['mx.other.test'] },
    'own, expired and of another name': { names: ['mx.other.test'], ...past },
    trusted: { names, issuer: 'trusted authority' },
    'trusted, of another name': { names: ['mx.other.test'], issuer: 'trusted authority' },
    'trusted, expired': { names, issuer: 'trusted authority', ...past },
    // Private authorities, that only TLSA records tell of.
    TA: { isAuthority: true },
    'expired TA': { isAuthority: true, ...past },
    middle: { isAuthority: true, issuer: 'TA' },
    'foreign authority': { isAuthority: true },
    'by TA': { names, issuer: 'TA' },
    'by middle': { names, issuer: 'middle' },
    'by expired TA': { names, issuer: 'expired TA' },
    'by TA, for the domain': { names: [domain], issuer: 'TA' },
    'by TA, of another name': { names: ['mx.other.test'], issuer: 'TA' },
    'by TA, expired': { names, issuer: 'TA', ...past },
    'policy host': { names: [`mta-sts.${domain}`], issuer: 'trusted authority' },
    'policy host of another name': { names: ['mta-sts.other.test'], issuer: 'trusted authority' },
    'policy host, expired': { names: [`mta-sts.${domain}`], issuer: 'trusted authority', ...past },
    'policy host of nobody': { names: [`mta-sts.${domain}`] },
  }
}

/** Certificates by name. */
export type Certificates = (name: string) => TestCertificate

/** Makes those certificates for a domain, and the issuers that they need. */
export async function certificatesFor(domain: string, wanted: Iterable<string>): Promise<Certificates> {
  const all = termsOf(domain)
  const made = new Map<string, TestCertificate>([['trusted authority', trustedAuthority]])
  const make = async (name: string): Promise<TestCertificate> => {
    const known = made.get(name)
    if (known) return known
    const terms = all[name]
    if (terms === undefined) throw new Error(`there is no certificate "${name}"`)
    const { issuer, ...rest } = terms
    const certificate = await makeCertificate({
      subject: name.replaceAll(',', ''),
      ...rest,
      ...(issuer && { issuer: await make(issuer) }),
    })
    made.set(name, certificate)
    return certificate
  }
  for (const name of wanted) await make(name)
  return (name) => {
    const certificate = made.get(name)
    if (!certificate) throw new Error(`the certificate "${name}" was not made`)
    return certificate
  }
}
