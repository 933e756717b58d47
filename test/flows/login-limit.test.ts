import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { localSeed } from '../../scripts/local-postern.ts'
import { MINUTE, SECOND } from '../../shared/base/clock.ts'
import { type TestPostern, testPostern } from '../support/test-postern.ts'

let postern: TestPostern
const ends: (() => unknown)[] = []

before(async () => {
  postern = await testPostern({ after: (end: () => unknown) => void ends.push(end) })
})
after(async () => {
  for (const end of ends.reverse()) await end()
})

test('AT-06: calls without credentials are 401 and never limited', async () => {
  for (let calls = 0; calls < 11; calls++) {
    const answer = await callWith(undefined)
    assert.equal(answer.status, 401)
    assert.equal(answer.headers.get('www-authenticate'), 'Basic realm=webapi')
  }
})

test('a login that succeeds begins the counting anew', async () => {
  await untilEarlyInMinute()
  for (let calls = 0; calls < 9; calls++) assert.equal((await callWith('wrong')).status, 401)
  assert.equal((await callWith(localSeed.password)).status, 400)
  for (let calls = 0; calls < 9; calls++) assert.equal((await callWith('wrong')).status, 401)
  assert.equal((await callWith(localSeed.password)).status, 400)
})

test('AT-07: a wrong password is 401 ten times, then everything is 429 with Retry-After', async () => {
  await untilEarlyInMinute()
  for (let calls = 0; calls < 10; calls++) assert.equal((await callWith('wrong')).status, 401)
  for (const password of ['wrong', localSeed.password]) {
    const answer = await callWith(password)
    assert.equal(answer.status, 429)
    assert.match(answer.headers.get('content-type') ?? '', /^text\/plain/)
    const seconds = Number(answer.headers.get('retry-after'))
    assert.ok(seconds >= 1 && seconds <= 60)
  }
  assert.equal((await callWith(undefined)).status, 401)
})

async function callWith(password: string | undefined): Promise<Response> {
  const authorization = `Basic ${btoa(`${localSeed.address}:${password}`)}`
  return await fetch(`${postern.local.cloud.apiUrl}/webapi/v0/MessageGet`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(password !== undefined && { authorization }) },
    body: '{"MsgID": 1}',
  })
}

/** Windows begin with the minute; a test that runs over its end would count twice. */
async function untilEarlyInMinute(): Promise<void> {
  const intoMinute = Date.now() % MINUTE
  if (intoMinute > 45 * SECOND) await sleep(MINUTE - intoMinute)
}
