import type { AddressDirectory } from '../account/address-directory.ts'
import type { CredentialStore } from '../account/credential-store.ts'
import type { OptionsStore } from '../account/options-store.ts'
import type { PasswordVerifier } from '../account/password-verifier.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import type { ContentStore } from '../content/content-store.ts'
import type { LargeAnswers } from '../content/large-answer.ts'
import type { DkimKeyStore } from '../dkim/dkim-key-store.ts'
import type { MailboxStore } from '../mailbox/mailbox-store.ts'
import type { OperationPorts } from '../operations/run-operation.ts'
import type { RelayPasswordStore } from '../queue/relay-passwords.ts'
import type { ReportStore } from '../reports/report.ts'
import type { SuppressionStore } from '../suppression/suppression-store.ts'
import type { ResultsStore } from '../tls-results/results-store.ts'
import type { FailingStore } from '../webhook/failing-webhook.ts'
import type { SigningSecretStore } from '../webhook/signing-secret-store.ts'
import type { WebhookStore } from '../webhook/webhook-store.ts'
import type { SesIdentities } from './ses-identities.ts'

/** What the admin API needs of the world. */
export interface AdminPorts extends OperationPorts {
  readonly options: OptionsStore
  readonly directory: AddressDirectory
  readonly credentials: CredentialStore
  readonly passwords: PasswordVerifier
  /** The generated secret; it is the administrator's password until another one is set. */
  readonly initialPassword: () => Promise<string>
  readonly dkimKeys: DkimKeyStore
  readonly relayPasswords: Pick<RelayPasswordStore, 'keep' | 'remove'>
  /** What private keys and passwords of relays are sealed with. */
  readonly sealingSecret: () => Promise<string>
  readonly content: Pick<ContentStore, 'keep' | 'read'>
  readonly largeAnswers: Pick<LargeAnswers, 'linkTo'>
  readonly mailboxes: Pick<MailboxStore, 'list'>
  readonly signingSecrets: SigningSecretStore
  readonly failing: Pick<FailingStore, 'forget'>
  readonly suppressions: Pick<SuppressionStore, 'page' | 'findAll' | 'add' | 'remove'>
  readonly reports: Pick<ReportStore, 'list' | 'find'>
  readonly tlsResults: Pick<ResultsStore, 'list'>
  readonly calls: OperationPorts['calls'] & Pick<WebhookStore, 'add'>
  readonly sesIdentities: SesIdentities
  readonly random: Random
  /** Waits for so many milliseconds. */
  readonly pause: (ms: number) => Promise<void>
  readonly log: Log
}
