import { X509Certificate } from 'node:crypto'
import type { SmtpPeer } from '../../shared/adapters/net/smtp-dial.ts'
import { formatInstant } from '../../shared/base/clock.ts'
import { fields } from './print.ts'

/** What came of calling an SMTP server. */
export interface SmtpReport {
  readonly host: string
  readonly port: number
  readonly address?: string
  readonly greeting?: string
  /** Lines of its reply to EHLO after the first, before STARTTLS. */
  readonly extensions?: readonly string[]
  readonly tls?: {
    readonly protocol: string
    readonly cipher: string
    /** The certificate is for the host, and of an authority that this machine trusts. */
    readonly trusted: boolean
    /** Why it is not. */
    readonly distrust?: string
    /** In the order in which they were sent, the server's own first. */
    readonly certificates: readonly CertificateReport[]
    /** As above, over TLS. */
    readonly extensions: readonly string[]
  }
  /** Why there was no session. */
  readonly error?: string
}

interface CertificateReport {
  readonly subject: string
  readonly issuer: string
  /** As the subjectAltName has them, such as `DNS:mx.example.org`. */
  readonly names: readonly string[]
  readonly validFrom: string
  readonly validTo: string
}

/** Puts what a server showed into words and lists. */
export function reportOf({ host, port }: Pick<SmtpReport, 'host' | 'port'>, peer: SmtpPeer): SmtpReport {
  const { address, greeting, helloPlain, helloSecured, tls, error } = peer
  return {
    host,
    port,
    ...(address !== undefined && { address }),
    ...(greeting !== undefined && { greeting: greeting.join('; ') }),
    ...(helloPlain !== undefined && { extensions: extensionsOf(helloPlain) }),
    ...(tls && {
      tls: {
        protocol: tls.protocol,
        cipher: tls.cipher,
        trusted: tls.distrust === undefined,
        ...(tls.distrust !== undefined && { distrust: tls.distrust }),
        certificates: tls.chain.map(certificateOf),
        extensions: extensionsOf(helloSecured ?? []),
      },
    }),
    ...(error !== undefined && { error }),
  }
}

/** The report as text: a line for each thing, and a paragraph for each certificate. */
export function reportText(report: SmtpReport): string {
  const { host, port, address, greeting, extensions, tls, error } = report
  const certificates = tls?.certificates.map(certificateText) ?? []
  const said = fields({
    host: `${host}, port ${port}`,
    ...(address !== undefined && { address }),
    ...(greeting !== undefined && { greeting }),
    ...(extensions && { offers: listText(extensions) }),
    ...(tls && {
      TLS: `${tls.protocol}, ${tls.cipher}`,
      'offers with TLS': listText(tls.extensions),
      certificate: tls.trusted ? `trusted for ${host}` : `not trusted: ${tls.distrust}`,
    }),
    ...(!tls && error === undefined && { TLS: 'none' }),
    ...(error !== undefined && { failed: error }),
  })
  return [said, ...certificates].join('\n\n')
}

/** RFC 5321 §4.1.1.1: the first line names the server. */
function extensionsOf(reply: readonly string[]): readonly string[] {
  return reply.slice(1).map((line) => line.slice(4))
}

function listText(extensions: readonly string[]): string {
  return extensions.length === 0 ? 'no extensions' : extensions.join(', ')
}

function certificateOf(der: Uint8Array): CertificateReport {
  const { subject, issuer, subjectAltName = '', validFromDate, validToDate } = new X509Certificate(der)
  return {
    subject: nameText(subject),
    issuer: nameText(issuer),
    names: subjectAltName === '' ? [] : subjectAltName.split(', '),
    validFrom: formatInstant(validFromDate.getTime()),
    validTo: formatInstant(validToDate.getTime()),
  }
}

function nameText(name: string | undefined): string {
  return (name ?? '').split('\n').join(', ')
}

function certificateText(each: CertificateReport, place: number): string {
  const text = fields({
    subject: each.subject,
    names: each.names.join(', ') || 'none',
    issuer: each.issuer,
    valid: `${each.validFrom} to ${each.validTo}`,
  })
  return `certificate ${place + 1}:\n${text.replace(/^/gm, '  ')}`
}
