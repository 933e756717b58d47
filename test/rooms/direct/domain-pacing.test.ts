import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { parseAddress } from '../../../shared/address/address.ts'
import { MINUTE, SECOND } from '../../../shared/base/clock.ts'
import { domainPacing } from '../../../shared/direct/domain-pacing.ts'
import type { Admission } from '../../../shared/queue/pacing.ts'
import type { DeliveryOutcome } from '../../../shared/queue/transport.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { queuedMessage } from '../../support/queued-message.ts'
import { seededRandom } from '../../support/seeded-random.ts'

function paced(isPatient = false) {
  const clock = fakeClock()
  // Nobody's patience ends, and where it is about that, at once.
  const wait = async () => await (isPatient ? new Promise<void>(() => {}) : undefined)
  const pacing = domainPacing({ clock, random: seededRandom(), wait })
  const admit = async (domain = 'slow.example') =>
    await pacing.admit({ kind: 'direct' }, [queuedMessage({ recipient: parseAddress(`bob@${domain}`) })])
  /** Admitted ones, until one is not. */
  const admitAll = async (domain?: string) => {
    const admitted: Extract<Admission, { kind: 'go' }>[] = []
    for (;;) {
      const admission = await admit(domain)
      if (admission.kind === 'later') return admitted
      admitted.push(admission)
    }
  }
  const go = async (domain?: string) => {
    const admission = await admit(domain)
    return admission.kind === 'go' ? admission : assert.fail('no turn')
  }
  const later = async (domain?: string) => {
    const admission = await admit(domain)
    return admission.kind === 'later' ? admission.at - clock.now() : assert.fail('a turn')
  }
  return { clock, admit, admitAll, go, later }
}

const evidence = { reply: '' }
const accepted: DeliveryOutcome = { ...evidence, kind: 'accepted', code: 250, enhancedCode: '2.0.0' }
const refused = (
  code: number,
  enhancedCode = '',
  kind: 'temporary' | 'permanent' = 'temporary',
): DeliveryOutcome => ({ ...evidence, kind, code, enhancedCode, error: 'refused' })
const noConnection = refused(0)

suite('pacing of a domain', () => {
  test('begins with five transactions at a time', async () => {
    const { admitAll } = paced()
    assert.equal((await admitAll()).length, 5)
  })

  test('a turn is given back however it ended, and once', async () => {
    const { admitAll, go } = paced()
    const [first] = await admitAll()
    first?.ended([])
    first?.ended([])
    await go()
    assert.equal((await admitAll()).length, 0)
  })

  test('each success allows one more at a time, up to twenty', async () => {
    const { admitAll, go } = paced()
    const allowed: number[] = []
    for (let successes = 0; successes < 17; successes++) {
      const turn = await go()
      turn.ended([accepted])
      const turns = await admitAll()
      allowed.push(turns.length)
      for (const each of turns) each.ended([])
    }
    assert.deepEqual(allowed, [6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 20, 20])
  })

  test('domains do not count for each other', async () => {
    const { admitAll, go } = paced()
    await admitAll('slow.example')
    await go('quick.example')
  })
})

suite('pauses of a domain', () => {
  const cases: readonly [rule: string, outcomes: readonly DeliveryOutcome[], isPaused: boolean][] = [
    ['no connection', [noConnection], true],
    ['421 (RFC 5321 §3.8)', [refused(421, '4.3.2')], true],
    ['4.7.x, a policy for now (RFC 3463 §3.8)', [refused(450, '4.7.1')], true],
    ['a full mailbox is the recipient’s own', [refused(452, '4.2.2')], false],
    ['a permanent refusal needs no patience', [refused(550, '5.7.1', 'permanent')], false],
    ['what one recipient is refused, while another is accepted', [refused(450, '4.7.1'), accepted], false],
    ['a message that needs what the servers do not have', [refused(0, '4.6.7')], false],
    ['nothing was asked', [], false],
  ]
  for (const [rule, outcomes, isPaused] of cases) {
    test(`${rule}: ${isPaused ? 'a pause' : 'no pause'}`, async () => {
      const { admit, go } = paced()
      const turn = await go()
      turn.ended(outcomes)
      assert.equal((await admit()).kind, isPaused ? 'later' : 'go')
    })
  }

  test('double from one minute to fifteen, and begin anew after a success', async () => {
    const { clock, go, later } = paced()
    const pauses: number[] = []
    for (let failures = 0; failures < 6; failures++) {
      const turn = await go()
      turn.ended([noConnection])
      pauses.push((await later()) / MINUTE)
      clock.advance(15 * MINUTE)
    }
    assert.deepEqual(pauses, [1, 2, 4, 8, 15, 15])
    const success = await go()
    success.ended([accepted])
    const failure = await go()
    failure.ended([noConnection])
    assert.equal(await later(), MINUTE)
  })

  test('halve what goes at a time, and failures of transactions side by side count as one', async () => {
    const { clock, admitAll, later } = paced()
    const turns = await admitAll()
    for (const turn of turns) turn.ended([noConnection])
    assert.equal(await later(), MINUTE)
    clock.advance(2 * MINUTE)
    assert.equal((await admitAll()).length, 2)
  })

  test('leave at least one at a time', async () => {
    const { clock, go, admitAll } = paced()
    for (let failures = 0; failures < 5; failures++) {
      const turn = await go()
      turn.ended([noConnection])
      clock.advance(16 * MINUTE)
    }
    assert.equal((await admitAll()).length, 1)
  })

  test('a success that began before the failure does not end the pause', async () => {
    const { go, later } = paced()
    const [success, failure] = [await go(), await go()]
    failure.ended([noConnection])
    success.ended([accepted])
    assert.equal(await later(), MINUTE)
  })
})

suite('who waits for a turn that is near', () => {
  test('gets it when another ends', async () => {
    const { admit, go } = paced(true)
    const running = await Promise.all(Array.from({ length: 5 }, () => go()))
    const waiting = admit()
    running[0]?.ended([accepted])
    assert.equal((await waiting).kind, 'go')
  })

  test('is put off when there is a pause instead', async () => {
    const { go, admit } = paced(true)
    const running = await Promise.all(Array.from({ length: 5 }, () => go()))
    const waiting = [admit(), admit()]
    running[0]?.ended([noConnection])
    assert.deepEqual(
      (await Promise.all(waiting)).map(({ kind }) => kind),
      ['later', 'later'],
    )
  })

  test('is one of few: the others are put off at once', async () => {
    const { go, admit, later } = paced(true)
    const running = await Promise.all(Array.from({ length: 5 }, () => go()))
    const [first] = running
    // Five transactions of a second, as long as nothing is known: as many turns as come within four seconds.
    const waiting = Array.from({ length: 20 }, () => admit())
    await later()
    first?.ended([accepted])
    assert.equal((await Promise.race(waiting)).kind, 'go')
  })

  test('does not, where transactions take long', async () => {
    const { clock, go, later } = paced(true)
    await Promise.all(Array.from({ length: 5 }, () => go()))
    // Five at a time: less than one turn in four seconds.
    clock.advance(21 * SECOND)
    await later()
  })
})

suite('who is put off', () => {
  test('comes back one after the other, twice as fast as all the places may become free', async () => {
    const { clock, admitAll, later } = paced()
    await admitAll()
    clock.advance(40 * SECOND)
    // Twenty places, in time, for transactions of at least forty seconds: one each two seconds.
    assert.deepEqual(
      [await later(), await later(), await later()],
      [1, 2, 3].map((each) => each * SECOND),
    )
  })

  test('counts only on the places that there are, once it was slowed down', async () => {
    const { clock, go, admitAll, later } = paced()
    const failure = await go()
    failure.ended([noConnection])
    clock.advance(MINUTE)
    assert.equal((await admitAll()).length, 2)
    clock.advance(4 * SECOND)
    assert.deepEqual([await later(), await later()], [1 * SECOND, 2 * SECOND])
  })

  test('fills the gaps between those who were told a time when all went slower', async () => {
    const { clock, admitAll, later } = paced()
    const slow = await admitAll()
    clock.advance(80 * SECOND)
    assert.deepEqual([await later(), await later()], [1 * SECOND, 3 * SECOND])
    for (const turn of slow) turn.ended([])
    const quick = await admitAll()
    assert.ok((await later()) < 2 * SECOND)
    for (const turn of quick) turn.ended([])
  })

  test('is spread after a pause', async () => {
    const { go, later } = paced()
    const turn = await go()
    turn.ended([noConnection])
    const times = [await later(), await later(), await later()]
    assert.ok(times[0] === MINUTE && times.every((each, place) => each > (times[place - 1] ?? 0)), `${times}`)
  })

  test('never comes back before the pause is over, however many they are', async () => {
    const { clock, go, later } = paced()
    for (let failures = 0; failures < 5; failures++) {
      clock.advance(16 * MINUTE)
      const turn = await go()
      clock.advance(MINUTE)
      turn.ended([noConnection])
    }
    for (let place = 0; place < 500; place++) assert.ok((await later()) >= 15 * MINUTE, `${place}`)
  })

  test('never waits for longer than a hint can, however many they are', async () => {
    const { clock, admitAll, later } = paced()
    await admitAll()
    clock.advance(5 * MINUTE)
    for (let place = 0; place < 500; place++) {
      const delay = await later()
      assert.ok(delay >= SECOND && delay < 15 * MINUTE, `${place}: ${delay}`)
    }
  })
})
