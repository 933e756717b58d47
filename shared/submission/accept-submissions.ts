import type { Login } from '../account/log-in.ts'
import type { Options } from '../account/options.ts'
import type { Address } from '../address/address.ts'
import { lookUp } from '../base/look-up.ts'
import { MOST_RECIPIENTS } from '../queue/submit.ts'
import { type FailureStage, simulate } from '../reception/simulated-failure.ts'
import type { Refusal } from '../smtp/refusal.ts'
import { acceptMessage } from './accept-message.ts'
import { checkOwner, checkParameters } from './check-mail.ts'
import { replyText } from './refusals.ts'
import { reversePath } from './reverse-path.ts'
import type { SubmissionHooks } from './submission-hooks.ts'
import type { SubmissionPorts } from './submission-ports.ts'

export interface SubmissionSettings {
  /** Special addresses fail, so that nothing is queued; those that begin with `queue` fail when they are delivered to. */
  readonly simulateFailures: boolean
}

const TOO_MANY: Refusal = {
  code: 452,
  enhancedCode: '4.5.3',
  text: `at most ${MOST_RECIPIENTS} recipients for one message`,
}

/** Queues what the accounts submit. */
export function submissionHooks(ports: SubmissionPorts, settings: SubmissionSettings): SubmissionHooks {
  const simulated = async (stage: FailureStage, addresses: readonly Address[], clientGone: AbortSignal) => {
    const now = addresses.filter(({ localpart }) => !localpart.startsWith('queue'))
    return settings.simulateFailures ? await simulate(ports, stage, now, clientGone) : undefined
  }
  return {
    async mailFrom(submission, clientGone) {
      const { address } = submission.mail
      const failure = await simulated('mail', address ? [address] : [], clientGone)
      if (failure) return failure
      const options = await ports.options.read()
      const login = loginNow(options, submission.login)
      if ('code' in login) return login
      return (
        checkParameters(submission, ports.clock.now()) ?? (await checkSender(ports, options, login, address))
      )
    },
    async rcptTo({ recipients }, { address }, clientGone) {
      const failure = await simulated('rcpt', [address], clientGone)
      return failure ?? (recipients.length < MOST_RECIPIENTS ? undefined : TOO_MANY)
    },
    async message(submission, content, clientGone) {
      const recipients = submission.recipients.map(({ address }) => address)
      const failure = await simulated('data', recipients, clientGone)
      if (failure) return failure
      const options = await ports.options.read()
      const login = loginNow(options, submission.login)
      if ('code' in login) return login
      return await acceptMessage(ports, options, login, submission, content)
    },
  }
}

async function checkSender(
  ports: SubmissionPorts,
  options: Options,
  login: Login,
  address: Address | undefined,
): Promise<Refusal | undefined> {
  if (!address) return undefined
  const known = { options, directory: ports.directory }
  const notOwner = await checkOwner(known, login.name, 'MAIL FROM', address)
  if (notOwner) return notOwner
  const path = await reversePath(ports, options, login, address)
  return 'code' in path ? path : undefined
}

/** A session may be older than a change of its account. */
function loginNow(options: Options, login: Login): Login | Refusal {
  const account = lookUp(options.accounts, login.name)
  if (account && account.loginDisabled === '') return { ...login, account }
  const why = account ? `login disabled: ${account.loginDisabled}` : 'the account was removed'
  return { code: 525, enhancedCode: '5.7.13', text: replyText(why) }
}
