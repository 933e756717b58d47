import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkSizes } from '../../scripts/checks/sizes.ts'
import { tempTree } from './temp-tree.ts'

const linesOf = (count: number) => '// line\n'.repeat(count)

const lengths = [
  ['shared/queue/submit.ts', 400],
  ['functions/deliver/decode.ts', 400],
  ['infra/stack.ts', 400],
  ['scripts/start.ts', 400],
  ['scripts/prepare.mjs', 400],
  ['test/rooms/submit.test.ts', 500],
  ['functions/deliver/handler.ts', 40],
  ['functions/smtp-listener/main.ts', 40],
  ['functions/mail/smtp/main.ts', 40],
] as const

for (const [path, most] of lengths) {
  test(`${path} may have ${most} lines and no more`, (t) => {
    assert.deepEqual(checkSizes(tempTree(t, { [path]: linesOf(most) })).violations, [])
    assert.deepEqual(checkSizes(tempTree(t, { [path]: linesOf(most + 1) })).violations, [
      `${path}  has ${most + 1} lines, at most ${most} are allowed`,
    ])
  })
}

for (const name of ['index.ts', 'utils.ts', 'helpers.ts', 'types.ts', 'types.d.ts', 'index.mjs']) {
  test(`no file is called ${name}`, (t) => {
    const path = `shared/queue/${name}`
    assert.deepEqual(checkSizes(tempTree(t, { [path]: '' })).violations, [
      `${path}  is to be called what it exports`,
    ])
  })
}

test('a name that only contains such a word is allowed', (t) => {
  const root = tempTree(t, { 'shared/queue/due-index.ts': '', 'shared/message/content-types.ts': '' })
  assert.deepEqual(checkSizes(root), { files: 2, violations: [] })
})

test('fixtures and built files are not measured', (t) => {
  const long = linesOf(600)
  const root = tempTree(t, {
    'test/fixtures/long.ts': long,
    'functions/webui/dist/app.js': long,
    'functions/webui/app.ts': '',
  })
  assert.deepEqual(checkSizes(root), { files: 1, violations: [] })
})

test('fails when it read no file', (t) => {
  assert.deepEqual(checkSizes(tempTree(t, {})).violations, ['no source file was read'])
})
