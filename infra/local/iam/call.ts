/** What a request needs to be allowed: one action on one resource. A request may need several. */
export interface Call {
  /** `service:Action`, as policies name it. */
  readonly action: string
  /** An ARN, or `*` for an action that has no resource. */
  readonly resource: string
  /** The values of the partition keys, for `dynamodb:LeadingKeys`; left out when the request names none. */
  readonly leadingKeys?: readonly string[]
}
