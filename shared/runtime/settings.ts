import { variables } from './names.ts'

/** The environment of the process: the only place that reads it. */
const environment: Readonly<Record<string, string | undefined>> = process.env

/** A variable that must be set; its absence ends the start, by name. */
export function requiredSetting(name: keyof typeof variables): string {
  const value = environment[variables[name]]
  if (!value) throw new Error(`the environment variable ${variables[name]} is not set`)
  return value
}

/** A variable that may be unset or empty. */
function optionalSetting(name: keyof typeof variables): string | undefined {
  return environment[variables[name]] || undefined
}

/** A positive whole number. */
export function numberSetting(name: keyof typeof variables, otherwise: number): number {
  const text = optionalSetting(name)
  const value = text === undefined ? otherwise : Number(text)
  if (!Number.isSafeInteger(value) || value <= 0) {
    throw new Error(
      `the environment variable ${variables[name]} must be a positive whole number, not ${text}`,
    )
  }
  return value
}

/** `true` or unset. */
export function flagSetting(name: keyof typeof variables): boolean {
  const text = optionalSetting(name)
  if (text !== undefined && text !== 'true') {
    throw new Error(`the environment variable ${variables[name]} must be "true" or unset, not ${text}`)
  }
  return text === 'true'
}

/** An endpoint other than AWS's (AWS_ENDPOINT_URL): its host name need not resolve with a bucket's name before it. */
export function hasOwnS3Endpoint(): boolean {
  return Boolean(environment.AWS_ENDPOINT_URL_S3 ?? environment.AWS_ENDPOINT_URL)
}

/** The queues of hints to deliver, by the lane of their workers; `direct` is left out where nothing sends directly. */
export function deliveryQueueUrls() {
  const direct = optionalSetting('directQueueUrl')
  return { function: requiredSetting('deliveriesQueueUrl'), ...(direct !== undefined && { direct }) }
}

/** How the sender delivers, and how it ends. */
export function senderSettings() {
  return {
    /** Where the servers of recipients listen (RFC 5321 §4.5.4.2). */
    destinationPort: numberSetting('smtpDestinationPort', 25),
    /** Also to addresses that the Internet does not lead to: private ones, loopback. */
    anyAddress: flagSetting('deliverToAnyAddress'),
    health: {
      port: numberSetting('healthPort', 1082),
      addresses: (optionalSetting('listenAddresses') ?? '127.0.0.1').split(','),
    },
    /** Longer than an attempt may take, and than its hint stays unseen. */
    leaseMs: numberSetting('deliverLeaseSeconds', 900) * 1000,
    /** Attempts may go on for so long; the task is to end within 120 seconds. */
    closingMs: 110_000,
  }
}

/** How the SMTP listeners listen, and what they do where they are not for production only. */
export function listenerSettings() {
  const catchallAccount = optionalSetting('catchallAccount')
  const tlsSecretArn = optionalSetting('tlsSecretArn')
  return {
    ports: {
      smtp: numberSetting('smtpPort', 1025),
      submission: numberSetting('submissionPort', 1587),
      submissions: numberSetting('submissionsPort', 1465),
      health: numberSetting('healthPort', 1081),
    },
    listening: {
      addresses: (optionalSetting('listenAddresses') ?? '0.0.0.0').split(','),
      /** Octets of a message (mox's default). */
      maxSize: 104_857_600,
    },
    /** Where certificate and key are; left out, a self-signed one is made and kept. */
    ...(tlsSecretArn !== undefined && { tlsSecretArn }),
    plaintextOnLoopback: flagSetting('plaintextLoginOnLoopback'),
    reception: {
      ...(catchallAccount !== undefined && { catchallAccount }),
      simulateFailures: flagSetting('simulateFailures'),
    },
    /** Connections may finish what they do for so long; the task is to end within 30 seconds. */
    closingMs: 25_000,
  }
}

/** Whom the resolver asks; what the text may say is `dnsConfiguration`'s to check. */
export function dnsSettings() {
  const servers = optionalSetting('dnsServers')
  return {
    /** As in `127.0.0.1:53,[::1]:53`; left out, or `system`: those of /etc/resolv.conf. */
    ...(servers !== undefined && { servers }),
    /** That the way to the servers is as safe as loopback, so that their word on DNSSEC counts. */
    trustsAd: flagSetting('dnsTrustAd'),
  }
}
