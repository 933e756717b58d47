import type { Instant } from '../base/clock.ts'

/** A place for one file that does not fit into a call. */
interface Upload {
  /** Until then the file can be put there, and be used. */
  readonly expiresAt: Instant
  /** Names the Send that uses it. */
  readonly usedBy?: string
}

/** Port: files that clients put where no function has to carry them. An upload is its account's, under its id. */
export interface UploadStore {
  /** Makes room for a file; the answer is the URL to which it is to be PUT, until `expiresAt`, without credentials. */
  create(account: string, id: string, expiresAt: Instant): Promise<string>
  /** Undefined when the account has no such upload. */
  find(account: string, id: string): Promise<Upload | undefined>
  /** The octets of the file; undefined before it was put there. */
  size(account: string, id: string): Promise<number | undefined>
  read(account: string, id: string): Promise<Uint8Array>
  /** Gives the upload to a Send; false when another Send has it. */
  use(account: string, id: string, send: string): Promise<boolean>
}
