/** The largest message that is taken, in octets as it goes out (mox's default). */
export const LARGEST_MESSAGE = 104_857_600

/**
 * Octets of what lies in every row of a message. Every event has both twice in one item, once as JSON that makes up
 * to six octets of one; an item has at most 400 KB (DynamoDB, "Service, account, and table quotas"), and an event
 * that cannot be written down would be a message that is delivered again and again.
 */
export const LARGEST_SUBJECT = 8_192
/** The same of all extra data, as JSON. */
export const LARGEST_EXTRA = 32_768
