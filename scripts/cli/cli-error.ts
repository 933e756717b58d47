/** A failure that the user can understand and mend; the message is one line. */
export class CliError extends Error {}
