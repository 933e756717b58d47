import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { findFreePort } from '../../infra/local/free-port.ts'
import type { Grant } from '../../infra/local/iam/access.ts'
import { freePorts } from '../../scripts/free-ports.ts'
import { type LocalPosternOptions, startLocalPostern } from '../../scripts/local-postern.ts'
import { variables } from '../../shared/runtime/names.ts'
import { directSteps, directZone, forgetPolicy, policySteps, setDirectRoute } from './direct-steps.ts'
import { holdingRelay } from './holding-relay.ts'
import {
  type Installation,
  type Outside,
  openInstallation,
  restartSteps,
  staleLeaseSeconds,
  steps,
} from './integration-steps.ts'
import { loginRelay } from './login-relay.ts'
import { mailHost } from './mail-host.ts'
import { operatorSteps } from './operator-steps.ts'
import { relaySteps, setLoginRelay } from './relay-steps.ts'
import { sesSteps, setSesRoutes } from './ses-steps.ts'
import { submissionSteps } from './submission-steps.ts'
import { webapiSteps } from './webapi-steps.ts'
import { type ReceivedCall, webhookReceiver } from './webhook-receiver.ts'
import { zoneServer } from './zone-server.ts'

/** What the roles of the template may do, and what they did; see `LocalCloud`. */
export interface IntegrationResult {
  readonly grants: readonly Grant[]
  readonly exercised: readonly Grant[]
}

interface IntegrationOptions {
  /** Takes something away before Postern is booted. */
  readonly editTemplate?: LocalPosternOptions['editTemplate']
  /** Called with the name of each step as it begins. */
  readonly onStep?: (name: string) => void
}

/**
 * Boots Postern and has it do everything that it can do, once, a restart included. Throws at the first step that
 * fails, and as soon as anything logs that AWS refused it something: the error names the step and has what was
 * logged meanwhile.
 */
export async function integrationRun(options: IntegrationOptions = {}): Promise<IntegrationResult> {
  const ends: (() => unknown)[] = []
  const after = (end: () => unknown) => void ends.push(end)
  const directory = mkdtempSync(join(tmpdir(), 'postern-integration-'))
  after(() => rmSync(directory, { recursive: true, force: true, maxRetries: 3 }))
  const watch = watchSteps(options.onStep ?? (() => {}))
  try {
    const outside: Outside = {
      application: await webhookReceiver({ after }, answerOfApplication),
      relay: await holdingRelay({ after }),
      loginRelay: await loginRelay({ after }),
      mailHost: await mailHost({ after }),
    }
    const sender = await senderEnvironment(outside, (await zoneServer({ after }, directZone)).address)
    // The seeded relay names the listener's port, which must be the same after the restart.
    const ports = await freePorts()
    const boot = async (): Promise<Installation> => {
      const starting = startLocalPostern({
        ...settings(options, sender),
        ...ports,
        directory,
        onLog: watch.onLog,
      })
      // A refusal ends the step, but not the boot, which must not outlive the run.
      after(async () => (await starting.catch(() => undefined))?.stop())
      return openInstallation(await starting, ports)
    }
    const first = await watch.step('boot and seed', boot)
    for (const step of [
      setLoginRelay,
      setDirectRoute,
      setSesRoutes,
      ...steps,
      ...operatorSteps,
      ...sesSteps,
      ...directSteps,
      ...webapiSteps,
      ...submissionSteps,
      ...relaySteps,
      ...policySteps,
    ])
      await watch.step(step.name, () => step.run(first, outside))
    const kept = await watch.step('stop', () => restartSteps.before(first))
    const second = await watch.step('restart', boot)
    await watch.step('what was kept', () => restartSteps.after(second, kept))
    await watch.step(forgetPolicy.name, () => forgetPolicy.run(second, outside))
    return {
      grants: first.cloud.grants(),
      exercised: [...first.cloud.exercised(), ...second.cloud.exercised()],
    }
  } finally {
    for (const end of ends.reverse()) await end()
  }
}

/** The first attempt of one call fails, so that there is a second one. */
function answerOfApplication({ path, headers, json }: ReceivedCall): number {
  const isFirst = headers['x-mox-webhook-attempt'] === '1'
  return path === '/out' && json.Subject === 'flaky' && isFirst ? 500 : 200
}

function settings({ editTemplate }: IntegrationOptions, sender: Readonly<Record<string, string>>) {
  const WorkersDeliverFunction = { [variables.deliverLeaseSeconds]: String(staleLeaseSeconds) }
  return {
    addresses: ['127.0.0.1'],
    environment: { WorkersDeliverFunction, sender },
    egress: 'nat-gateway',
    ...(editTemplate && { editTemplate }),
  } as const
}

/** The sender's world is the run's: its DNS, and one server at which all mail arrives. */
async function senderEnvironment({ mailHost: { port } }: Outside, dnsServer: string) {
  return {
    [variables.dnsServers]: dnsServer,
    [variables.smtpDestinationPort]: String(port),
    [variables.deliverToAnyAddress]: 'true',
    [variables.healthPort]: String(await findFreePort('127.0.0.1')),
  }
}

/** AWS's words, in whatever line or error they come. */
const refusalWords = 'is not authorized to perform:'
const linesShown = 40
const logDelayMs = 500

/** Runs steps one after the other, and listens to the log meanwhile. */
function watchSteps(onStep: (name: string) => void) {
  const lines: string[] = []
  const refused = Promise.withResolvers<never>()
  // It may be refused while no step is waiting; the next one sees it.
  refused.promise.catch(() => {})
  return {
    onLog: (line: string) => {
      lines.push(line)
      if (line.includes(refusalWords)) refused.reject(new Error(line))
    },
    async step<Result>(name: string, run: () => Promise<Result>): Promise<Result> {
      onStep(name)
      const begin = lines.length
      try {
        await Promise.race([refused.promise, Promise.resolve()])
        return await Promise.race([refused.promise, run()])
      } catch (error) {
        // What a function logs of its failure can come after the answer that told of it.
        await Promise.race([refused.promise, sleep(logDelayMs)]).catch(() => {})
        const reason = error instanceof Error ? error.message : String(error)
        const logged = lines.slice(begin).slice(-linesShown)
        throw new Error([`step "${name}": ${reason}`, ...logged].join('\n  '), { cause: error })
      }
    },
  }
}
