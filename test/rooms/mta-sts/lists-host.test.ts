import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDomainName } from '../../../shared/address/domain-name.ts'
import { listsHost } from '../../../shared/mta-sts/lists-host.ts'

const name = parseDomainName('x.example')
const rows: readonly (readonly [mx: typeof name | `*.${typeof name}`, host: string, expected: boolean])[] = [
  [name, 'x.example', true],
  [name, 'X.Example', true],
  [name, 'mx.x.example', false],
  [name, 'ax.example', false],
  [`*.${name}`, 'mx.x.example', true],
  [`*.${name}`, 'MX.X.EXAMPLE', true],
  [`*.${name}`, 'x.example', false],
  [`*.${name}`, '.x.example', false],
  [`*.${name}`, 'a.mx.x.example', false],
  [`*.${name}`, 'mx.ax.example', false],
]
for (const [mx, host, expected] of rows) {
  test(`RFC 8461 §4.1: a policy for ${mx} ${expected ? 'lists' : 'does not list'} ${host}`, () => {
    assert.equal(listsHost({ mx: [parseDomainName('other.example'), mx] }, host), expected)
  })
}

test('a policy without mx lists nothing', () => {
  assert.equal(listsHost({ mx: [] }, 'x.example'), false)
})
