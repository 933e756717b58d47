import assert from 'node:assert/strict'
import { fakeClock } from './fake-clock.ts'
import { type FakeZone, fakeDns } from './fake-dns.ts'

/** What verifying signatures needs, with all the time there is; a fault of ours fails the test. */
export function dkimPorts(zone: FakeZone) {
  const never = () => new Promise<void>(() => {})
  return {
    resolver: fakeDns(zone),
    clock: fakeClock(),
    wait: (milliseconds: number) => (milliseconds === 0 ? Promise.resolve() : never()),
    log: { info: () => {}, warn: () => {}, error: (_: string, error: unknown) => assert.ifError(error) },
  }
}
