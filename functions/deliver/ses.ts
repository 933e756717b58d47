import { setTimeout as wait } from 'node:timers/promises'
import type { Table } from '../../shared/adapters/aws/dynamo.ts'
import { lazySes } from '../../shared/adapters/aws/lazy-ses.ts'
import { dynamoSesRateStore } from '../../shared/adapters/aws/ses-rate-store.ts'
import { systemClock as clock } from '../../shared/adapters/system/clock.ts'
import { jsonLog as log } from '../../shared/adapters/system/log.ts'
import { systemRandom as random } from '../../shared/adapters/system/random.ts'
import { sesPacing } from '../../shared/ses/ses-pacing.ts'
import { sesRate } from '../../shared/ses/ses-rate.ts'
import { sesTransport } from '../../shared/ses/ses-transport.ts'

/** SES, and the rate that it grants, which all workers share. */
export function sesOf(table: Table, configurationSet: string) {
  const client = lazySes(configurationSet)
  const rate = sesRate({ store: dynamoSesRateStore(table), client, clock, random, log, wait })
  return { transport: sesTransport({ client, rate, clock, wait, log }), pacing: sesPacing({ rate, clock }) }
}
