import { connectionReason } from './connection-reason.ts'

/** We do not send this; the message may be shown to the owner of the webhook. */
export class WebhookRefused extends Error {
  override readonly name = 'WebhookRefused'
}

const clientReasons: Readonly<Record<string, string>> = {
  UND_ERR_CONNECT_TIMEOUT: 'timed out while connecting',
  UND_ERR_HEADERS_OVERFLOW: 'the header of the answer is too large',
  UND_ERR_INVALID_ARG: 'the headers of the webhook are not valid',
  UND_ERR_SOCKET: 'connection closed',
}

/** Says in public words why no answer came. The words of libraries are not used: they name addresses and headers. */
export function unreachableReason(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) return 'the request failed'
  if (error instanceof WebhookRefused) return error.message
  if (error.name === 'TimeoutError') return `timed out after ${timeoutMs / 1000} s`
  if (error.name === 'HTTPParserError') return 'the answer is not HTTP'
  const { code = '' } = error as NodeJS.ErrnoException
  return clientReasons[code] ?? connectionReason(code) ?? `the request failed${code && ` (${code})`}`
}
