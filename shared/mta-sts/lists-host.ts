import type { StsPolicy } from './policy.ts'

/** Whether a policy lists a host; `*.` stands for exactly one label (RFC 8461 §4.1). */
export function listsHost({ mx }: Pick<StsPolicy, 'mx'>, host: string): boolean {
  const name = host.toLowerCase()
  const dot = name.indexOf('.')
  return mx.some((pattern) => pattern === name || (dot > 0 && pattern === `*${name.slice(dot)}`))
}
