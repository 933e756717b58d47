import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { CliError } from './cli-error.ts'

/** Whether somebody is there to be asked. */
export function canAsk(): boolean {
  return Boolean(process.stdin.isTTY && process.stderr.isTTY)
}

/** Asks for one line; an empty answer is `fallback`. Questions go to stderr, so that stdout is the result alone. */
export async function ask(question: string, fallback = ''): Promise<string> {
  const hint = fallback === '' ? '' : ` [${fallback}]`
  const answer = (await readLine(`${question}${hint}: `, process.stderr)).trim()
  return answer === '' ? fallback : answer
}

/** Asks whether it is meant, and ends with an error unless the answer is yes. */
export async function demandYes(question: string): Promise<void> {
  if (!/^y(es)?$/i.test(await ask(`${question} [y/N]`))) throw new CliError('nothing was done')
}

/** Asks for one line that is not shown. */
export async function askSecret(question: string): Promise<string> {
  process.stderr.write(`${question}: `)
  const answer = await readLine('', new Writable({ write: (_chunk, _encoding, done) => done() }))
  process.stderr.write('\n')
  return answer
}

/** Ends with an error when the input ends, by Ctrl-C or Ctrl-D, before the line does. */
async function readLine(prompt: string, output: NodeJS.WritableStream): Promise<string> {
  const lines = createInterface({ input: process.stdin, output, terminal: true })
  return await new Promise((resolve, reject) => {
    const giveUp = () => {
      process.stderr.write('\n')
      reject(new CliError('no answer was given; nothing was done'))
    }
    lines.on('close', giveUp)
    lines.question(prompt, (answer) => {
      lines.off('close', giveUp)
      lines.close()
      resolve(answer)
    })
  })
}
