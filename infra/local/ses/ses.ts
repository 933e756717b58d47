import { mkdirSync } from 'node:fs'
import { type JsonObject, type JsonService, ServiceError } from '../gateway/json-service.ts'
import type { Deployment } from '../template/resource.ts'
import {
  createConfigurationSet,
  createEventDestination,
  updateEventDestination,
} from './configuration-sets.ts'
import { drawFates, openEventOutbox, type Publish } from './event-outbox.ts'
import {
  createEmailIdentity,
  deleteEmailIdentity,
  getEmailIdentity,
  putEmailIdentityMailFromAttributes,
} from './identities.ts'
import { describeAccount, type Sending, sendEmail } from './send-email.ts'
import { openSendQuota } from './send-quota.ts'
import { requireValidSettings, type SesSettings, usualSettings } from './settings.ts'
import { type AcceptedMail, SesStore } from './store.ts'

/** What a test sees and changes of SES. */
export interface SesControl {
  /** Every mail that was accepted, in that order. */
  accepted(): readonly AcceptedMail[]
  /** Changes settings from the next call on; what is left out stays. Throws RangeError on what makes no sense. */
  set(settings: Partial<SesSettings>): void
}

/** Amazon SES, API v2, for one machine: it sends nothing on, but keeps what it accepts and says what became of it. */
export interface SesStandIn extends JsonService, SesControl {
  /** Whom events go to; until this is called they wait. */
  publishTo(publish: Publish): void
  /** To be called after `now` was moved. */
  moved(): void
}

/** Opens or makes the data in `directory`, which one process at a time may use. */
export function openSes(options: {
  readonly directory: string
  readonly deployment: Deployment
  /** Milliseconds since 1970: what the sending rate is measured by. */
  readonly now: () => number
  readonly settings?: Partial<SesSettings> | undefined
  readonly onLog: (line: string) => void
}): SesStandIn {
  const { directory, deployment, now, onLog } = options
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const store = new SesStore(directory)
  const outbox = openEventOutbox(store, now, onLog)
  const withSettings = (settings: SesSettings): Sending => {
    requireValidSettings(settings)
    return { store, deployment, settings, quota: openSendQuota(), fate: drawFates(settings), now }
  }
  let sending = withSettings({ ...usualSettings, ...options.settings })
  return {
    async call(name, input) {
      const operation = Object.hasOwn(operations, name) ? operations[name] : undefined
      if (operation === undefined) {
        throw new ServiceError('UnknownOperationException', `The local SES does not implement ${name}.`, 404)
      }
      const output = operation(sending, input)
      if (name === 'SendEmail') outbox.wake()
      return output
    },
    accepted: () => store.mails(),
    set(settings) {
      sending = withSettings({ ...sending.settings, ...settings })
    },
    publishTo: outbox.publishTo,
    moved: outbox.wake,
    close() {
      outbox.close()
      store.close()
    },
  }
}

const operations: Readonly<Record<string, (sending: Sending, input: JsonObject) => JsonObject>> = {
  SendEmail: sendEmail,
  GetAccount: describeAccount,
  PutAccountSendingAttributes: ({ store }, input) => {
    store.setSendingEnabled(input.SendingEnabled === true)
    return {}
  },
  CreateConfigurationSet: ({ store }, input) => createConfigurationSet(store, input),
  CreateConfigurationSetEventDestination: ({ store }, input) => createEventDestination(store, input),
  UpdateConfigurationSetEventDestination: ({ store }, input) => updateEventDestination(store, input),
  CreateEmailIdentity: ({ store, settings }, input) => createEmailIdentity(store, settings, input),
  GetEmailIdentity: ({ store }, input) => getEmailIdentity(store, input),
  DeleteEmailIdentity: ({ store }, input) => deleteEmailIdentity(store, input),
  PutEmailIdentityMailFromAttributes: ({ store }, input) => putEmailIdentityMailFromAttributes(store, input),
}
