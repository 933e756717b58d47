/** One HTTP POST. */
export interface WebhookRequest {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/** What came of it; both are remote behaviour, not faults of ours. */
export type WebhookAnswer =
  | {
      readonly kind: 'answered'
      readonly status: number
      /** The first 512 bytes of the body, as UTF-8. */
      readonly response: string
      /** The header field Retry-After, as it came. */
      readonly retryAfter?: string
    }
  | { readonly kind: 'unreachable'; readonly error: string }

/** Port: sends to addresses that were vetted, follows no redirect, and answers within a minute. */
export interface WebhookSender {
  post(request: WebhookRequest): Promise<WebhookAnswer>
}
