import { CliError } from './cli-error.ts'
import { printable } from './print.ts'
import { posternCommand } from './program.ts'

// Whoever reads the output may have seen enough, as `head` has.
process.stdout.on('error', () => process.exit())
try {
  await posternCommand(process.env).parseAsync()
} catch (error) {
  if (!(error instanceof CliError)) throw error
  process.stderr.write(`error: ${printable(error.message)}\n`)
  process.exitCode = 1
}
