import type { AddressDirectory } from '../account/address-directory.ts'
import type { Login } from '../account/log-in.ts'
import type { Options } from '../account/options.ts'
import type { OptionsStore } from '../account/options-store.ts'
import type { PasswordVerifier } from '../account/password-verifier.ts'
import type { Log } from '../base/log.ts'
import type { MailboxStore } from '../mailbox/mailbox-store.ts'
import type { SubmitPorts } from '../queue/submit.ts'
import type { CallBody } from './call-body.ts'

/** What the webapi needs of the world. */
export interface WebapiPorts extends SubmitPorts {
  readonly options: OptionsStore
  readonly directory: AddressDirectory
  readonly passwords: PasswordVerifier
  readonly mailboxes: MailboxStore
  readonly log: Log
}

/** One call: who called, under which options, with what. */
export interface CallContext {
  readonly ports: WebapiPorts
  readonly options: Options
  readonly login: Login
  readonly body: CallBody
}

/** What a method answers: an object to be written as JSON, or bytes. */
export type CallResult =
  | { readonly kind: 'json'; readonly value: object }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array; readonly contentType: string }

/** A method of the webapi. Throws ApiError for what the caller can mend. */
export type Method = (call: CallContext) => Promise<CallResult>
