/** What one call of the admin API takes, in bytes. */
export const LARGEST_BODY = 1_000_000

/**
 * How many rows one import takes. Each is a write of its own to one account's list, a single partition of the table,
 * of which DynamoDB takes 1000 a second; API Gateway waits 30 seconds.
 */
export const MOST_IMPORT_ROWS = 2000

/** How many invalid rows an import names. */
export const MOST_INVALID_ROWS = 100
