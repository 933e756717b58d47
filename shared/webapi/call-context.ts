import type { Context } from 'hono'
import type { AddressDirectory } from '../account/address-directory.ts'
import type { Login } from '../account/log-in.ts'
import type { Options } from '../account/options.ts'
import type { OptionsStore } from '../account/options-store.ts'
import type { PasswordVerifier } from '../account/password-verifier.ts'
import type { Log } from '../base/log.ts'
import type { ContentName } from '../content/content-store.ts'
import type { LargeAnswers } from '../content/large-answer.ts'
import type { DailyLimitPorts } from '../limits/daily-limits.ts'
import type { LoginLimiter } from '../limits/login-limiter.ts'
import type { MailboxStore } from '../mailbox/mailbox-store.ts'
import type { SubmitPorts } from '../queue/submit.ts'
import type { SuppressionStore } from '../suppression/suppression-store.ts'
import type { CallBody } from './call-body.ts'
import type { KeyedSendStore } from './keyed-send.ts'
import type { UploadStore } from './upload-store.ts'

/** What the webapi needs of the world. */
export interface WebapiPorts extends SubmitPorts, DailyLimitPorts {
  readonly options: OptionsStore
  readonly directory: AddressDirectory
  readonly passwords: PasswordVerifier
  readonly mailboxes: MailboxStore
  readonly suppressions: SuppressionStore
  /** What the keys of FromIDs are made of. */
  readonly fromIdSecret: () => Promise<string>
  readonly keyedSends: KeyedSendStore
  readonly uploads: UploadStore
  readonly largeAnswers: LargeAnswers
  readonly loginLimiter: LoginLimiter
  /** Where a request comes from; empty when that is unknown. */
  readonly clientIp: (context: Context) => string
  readonly log: Log
}

/** One call: who called, under which options, with what. */
export interface CallContext {
  readonly ports: WebapiPorts
  readonly options: Options
  readonly login: Login
  readonly body: CallBody
  /** The header field Idempotency-Key, as it came. */
  readonly idempotencyKey?: string | undefined
}

/** What a method answers: an object to be written as JSON, bytes, or a large content that need not be read for it. */
export type CallResult =
  | { readonly kind: 'json'; readonly value: object; readonly status?: 200 | 400 }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array; readonly contentType: string }
  | { readonly kind: 'content'; readonly content: ContentName; readonly contentType: string }

/** A method of the webapi. Throws ApiError for what the caller can mend. */
export type Method = (call: CallContext) => Promise<CallResult>
