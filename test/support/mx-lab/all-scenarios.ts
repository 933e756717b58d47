import { daneNameScenarios } from './dane-name-scenarios.ts'
import { daneScenarios } from './dane-scenarios.ts'
import { mtaStsScenarios } from './mta-sts-scenarios.ts'
import { opportunisticScenarios } from './opportunistic-scenarios.ts'
import { replyScenarios } from './reply-scenarios.ts'
import { requireTlsScenarios } from './require-tls-scenarios.ts'
import { routeScenarios } from './route-scenarios.ts'
import type { MxScenario } from './scenario.ts'

/** All rules of direct delivery that are data. */
export const mxScenarios: readonly MxScenario[] = [
  ...routeScenarios,
  ...opportunisticScenarios,
  ...daneScenarios,
  ...daneNameScenarios,
  ...mtaStsScenarios,
  ...requireTlsScenarios,
  ...replyScenarios,
]
