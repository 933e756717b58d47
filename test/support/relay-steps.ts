import { eventually } from '../../scripts/eventually.ts'
import { type Installation, type Outside, type Step, sendTo } from './integration-steps.ts'

/** Comes first: functions may work with options that are five seconds old. */
export const setLoginRelay: Step = {
  name: 'a relay that wants a login is set, with a password that is replaced',
  run: setRelay,
}

/** What is delivered to relays that want to know who we are. */
export const relaySteps: readonly Step[] = [
  { name: 'a relay that wants a login gets it, and its mail', run: deliverWithLogin },
]

async function setRelay({ admin }: Installation, { loginRelay }: Outside): Promise<void> {
  const { port: Port, username: Username, password } = loginRelay
  for (const Password of ['wrong', password]) {
    const Login = { Username, Password }
    await admin.put('/transports/login', { Kind: 'smtp', Host: '127.0.0.1', Port, TLS: 'none', Login })
  }
  const routes = await admin.get<object[]>('/routes')
  await admin.put('/routes', [{ ToDomain: ['login.test'], Transport: 'login' }, ...routes])
}

async function deliverWithLogin(postern: Installation, { loginRelay }: Outside): Promise<void> {
  await sendTo(postern, ['someone@login.test'], { Subject: 'login' })
  await eventually('the relay has the mail', () => loginRelay.recipients.includes('someone@login.test'))
}
