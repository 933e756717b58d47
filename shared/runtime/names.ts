/** Names that the infrastructure and the running code share. The only file of `shared/` that `infra/` imports. */

/** Environment variables, set by `infra/` and read by `settings.ts`. */
export const variables = {
  table: 'POSTERN_TABLE',
  bucket: 'POSTERN_BUCKET',
  deliveriesQueueUrl: 'POSTERN_DELIVERIES_QUEUE_URL',
  directQueueUrl: 'POSTERN_DIRECT_QUEUE_URL',
  webhooksQueueUrl: 'POSTERN_WEBHOOKS_QUEUE_URL',
  adminSecretArn: 'POSTERN_ADMIN_SECRET_ARN',
  fromIdSecretArn: 'POSTERN_FROM_ID_SECRET_ARN',
  sealingSecretArn: 'POSTERN_SEALING_SECRET_ARN',
  tlsSecretArn: 'POSTERN_TLS_SECRET_ARN',
  smtpPort: 'POSTERN_SMTP_PORT',
  submissionPort: 'POSTERN_SUBMISSION_PORT',
  submissionsPort: 'POSTERN_SUBMISSIONS_PORT',
  healthPort: 'POSTERN_HEALTH_PORT',
  dnsServers: 'POSTERN_DNS_SERVERS',
  sesConfigurationSet: 'POSTERN_SES_CONFIGURATION_SET',
  deliverLeaseSeconds: 'POSTERN_DELIVER_LEASE_SECONDS',
  webhookLeaseSeconds: 'POSTERN_WEBHOOK_LEASE_SECONDS',
  listenAddresses: 'POSTERN_LISTEN_ADDRESSES',
  catchallAccount: 'POSTERN_CATCHALL_ACCOUNT',
  plaintextLoginOnLoopback: 'POSTERN_PLAINTEXT_LOGIN_ON_LOOPBACK',
  simulateFailures: 'POSTERN_SIMULATE_FAILURES',
  webhookAllowLoopback: 'POSTERN_WEBHOOK_ALLOW_LOOPBACK',
  skipSenderChecks: 'POSTERN_SKIP_SENDER_CHECKS',
  dnsTrustAd: 'POSTERN_DNS_TRUST_AD',
  smtpDestinationPort: 'POSTERN_SMTP_DESTINATION_PORT',
  deliverToAnyAddress: 'POSTERN_DELIVER_TO_ANY_ADDRESS',
} as const

/** The table's keys and the two sparse indexes (design of the data: ARCHITECTURE.md, "Data"). */
export const tableKeys = { partition: 'pk', sort: 'sk', expires: 'expires' } as const
export const dueIndex = { name: 'due', partition: 'due', sort: 'dueAt' } as const
export const retiredIndex = { name: 'retired', partition: 'retired', sort: 'retiredAt' } as const
