import { spawnSync } from 'node:child_process'

/** Debian has servers where only administrators look. */
export const environment = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` }

/**
 * For the `skip` of tests: false where the programs are installed, otherwise which are missing. Throws instead where
 * POSTERN_REQUIRE_INTEROP is 1.
 */
export function whyMissing(...programs: readonly string[]): string | false {
  const missing = programs.filter(
    (program) => spawnSync('which', [program], { env: environment }).status !== 0,
  )
  if (missing.length === 0) return false
  const reason = `not installed: ${missing.join(', ')}`
  if (process.env.POSTERN_REQUIRE_INTEROP === '1') throw new Error(reason)
  return reason
}
