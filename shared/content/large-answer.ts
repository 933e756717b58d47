import type { ContentName } from './content-store.ts'

/**
 * The largest body of an answer, in octets: Lambda takes answers of up to 6 MB ("Lambda quotas", invocation payload),
 * in which the body is base64 and stands beside the header fields.
 */
export const LARGEST_ANSWER = 4_500_000

/** Port: what clients fetch themselves, because it is too large for an answer. */
export interface LargeAnswers {
  /** A URL under which a large content can be read for a quarter of an hour, without credentials. */
  linkTo(content: ContentName, contentType: string): Promise<string>
  /** The same for bytes that are kept nowhere else. */
  keep(bytes: Uint8Array, contentType: string): Promise<string>
}
