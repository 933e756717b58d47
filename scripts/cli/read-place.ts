import { CliError } from './cli-error.ts'

/** A port that somebody typed; throws a CliError that names the argument. */
export function readPort(argument: string, text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (port >= 1 && port <= 65535) return port
  throw new CliError(`${argument}: ${JSON.stringify(text)} must be a number from 1 to 65535`)
}

/** What EHLO is to say. A host that does not know its name in full may still call. */
export function readHello(text: string): string {
  if (/^[\w.:[\]-]{1,255}$/.test(text)) return text
  throw new CliError(`--ehlo: ${JSON.stringify(text)} must be a host name or an address literal`)
}
