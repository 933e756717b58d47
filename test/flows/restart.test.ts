import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { eventually } from '../../scripts/eventually.ts'
import { testPostern } from '../support/test-postern.ts'

test('a restart keeps mails, the queue, options and passwords, and seeds nothing again', async (context) => {
  const directory = mkdtempSync(join(tmpdir(), 'postern-restart-'))
  context.after(() => rmSync(directory, { recursive: true, force: true }))

  const first = await testPostern(context, { directory })
  assert.notDeepEqual(first.local.seeded, [])
  await first.call('Send', {
    To: [{ Address: 'kept@remote.test' }, { Address: 'later+451@other.test' }],
    Text: 'x',
  })
  const mails = await eventually('the mail', async () => {
    const list = await first.admin.get<unknown[]>('/mail')
    return list.length === 1 && list
  })
  const queued = await eventually('the deferred row', async () => {
    const list = await first.admin.get<{ Attempts: number }[]>('/queue')
    return list.length === 1 && list[0]?.Attempts === 1 && list
  })
  const accounts = await first.admin.get('/accounts')
  await first.local.stop()

  const second = await testPostern(context, { directory })
  assert.deepEqual(second.local.seeded, [])
  assert.deepEqual(await second.admin.get('/mail'), mails)
  assert.deepEqual(await second.admin.get('/queue'), queued)
  assert.deepEqual(await second.admin.get('/accounts'), accounts)
  assert.equal((await second.call('Send', { To: [{ Address: 'again@remote.test' }], Text: 'x' })).status, 200)
})
