import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SECOND } from '../../../shared/base/clock.ts'
import type { Admission } from '../../../shared/queue/pacing.ts'
import { withinMemory } from '../../../shared/queue/within-memory.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { queuedMessage } from '../../support/queued-message.ts'
import { seededRandom } from '../../support/seeded-random.ts'

const MB = 1_000_000

/** Who asks for turns; what comes after the memory says `next`. */
function arrange(next: () => Admission = () => ({ kind: 'go', ended: () => {} })) {
  const clock = fakeClock()
  const pacing = withinMemory({ clock, random: seededRandom(), pacing: { admit: async () => next() } })
  const admit = async (size: number) => await pacing.admit({ kind: 'direct' }, [queuedMessage({ size })])
  return { clock, admit }
}

test('messages that are too large together go one after the other', async () => {
  const { admit, clock } = arrange()
  const first = await admit(100 * MB)
  const second = await admit(100 * MB)
  assert.ok(first.kind === 'go' && second.kind === 'later')
  assert.ok(second.at >= clock.now() + 2 * SECOND && second.at <= clock.now() + 10 * SECOND)
  first.ended([])
  assert.equal((await admit(100 * MB)).kind, 'go')
})

test('small messages go beside them, and however many there are', async () => {
  const { admit } = arrange()
  await admit(130 * MB)
  for (let count = 0; count < 1000; count++) assert.equal((await admit(250_000)).kind, 'go')
})

test('what is as large as all of the room goes alone', async () => {
  const { admit } = arrange()
  assert.equal((await admit(200 * MB)).kind, 'go')
  assert.equal((await admit(MB)).kind, 'later')
})

const without: readonly (readonly [rule: string, next: () => Admission])[] = [
  ['is put off for another reason', () => ({ kind: 'later', at: 0 })],
  [
    'cannot be judged',
    () => {
      throw new Error('no answer')
    },
  ],
]
for (const [rule, next] of without) {
  test(`what ${rule} takes no room`, async () => {
    let isFirst = true
    const { admit } = arrange(() => {
      if (!isFirst) return { kind: 'go', ended: () => {} }
      isFirst = false
      return next()
    })
    await admit(100 * MB).catch(() => {})
    assert.equal((await admit(100 * MB)).kind, 'go')
  })
}

test('how an attempt ended is passed on', async () => {
  const heard: unknown[] = []
  const { admit } = arrange(() => ({ kind: 'go', ended: (outcomes) => void heard.push(outcomes) }))
  const admission = await admit(MB)
  if (admission.kind === 'go') admission.ended([])
  assert.deepEqual(heard, [[]])
})
