/** What narrows a listing of the queue or of mail. */
export interface ListOptions {
  readonly account?: string
  readonly limit: string
}

/** The query string that asks for it. */
export function listingQuery({ account, limit }: ListOptions): string {
  return new URLSearchParams({ ...(account !== undefined && { account }), limit }).toString()
}
