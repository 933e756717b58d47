import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runInNewContext } from 'node:vm'
import { webapi } from '../../../shared/webapi/api.ts'
import type { WebapiPorts } from '../../../shared/webapi/call-context.ts'
import { methods } from '../../../shared/webapi/methods.ts'
import { PAGE_SCRIPT, summary } from '../../../shared/webapi/pages.ts'

// Pages need nothing of the world; what would ask for it fails here.
const app = webapi({} as WebapiPorts)

test('the mount leads to version 0, for GET only (AT-01)', async () => {
  const answer = await app.request('/webapi/')
  assert.deepEqual([answer.status, answer.headers.get('location')], [303, '/webapi/v0/'])
  assert.equal((await app.request('/webapi/', { method: 'POST' })).status, 405)
})

test('version 0 lists every method, for any HTTP method (AT-02)', async () => {
  for (const method of ['GET', 'POST', 'PUT']) {
    const answer = await app.request('/webapi/v0/', { method })
    assert.equal(answer.status, 200)
    assert.match(answer.headers.get('content-type') ?? '', /^text\/html; charset=utf-8$/i)
    const links = [...(await answer.text()).matchAll(/<dt><a href="\/webapi\/v0\/(\w+)">/g)]
    assert.deepEqual(
      links.map(([, name]) => name),
      Object.keys(methods),
    )
  }
})

test('other paths and unknown methods are not found, whatever the HTTP method (AT-03)', async () => {
  for (const path of ['/webapi/v0/send', '/webapi/v0/Send/', '/webapi/v0/constructor', '/webapi/v1/Send']) {
    for (const method of ['GET', 'POST', 'PUT']) {
      assert.equal((await app.request(path, { method })).status, 404, `${method} ${path}`)
    }
  }
})

test('every method has a page with its example in the field "request" (AT-04)', async () => {
  for (const [name, { exampleRequest, returns }] of Object.entries(methods)) {
    const answer = await app.request(`/webapi/v0/${name}`)
    assert.equal(answer.status, 200)
    assert.match(answer.headers.get('content-type') ?? '', /^text\/html; charset=utf-8$/i)
    const html = await answer.text()
    const [, example = ''] = /<textarea [^>]*name="request"[^>]*>\n(.*?)<\/textarea>/s.exec(html) ?? []
    assert.deepEqual(JSON.parse(unescaped(example)), exampleRequest, name)
    assert.ok(html.includes(`data-returns="${returns.kind}"`), name)
    assert.match(html, /<form method="post" enctype="multipart\/form-data"/)
    assert.match(html, /<a href="\/webapi\/v0\/">/)
  }
})

test('pages run under their own Content-Security-Policy: nothing inline, script and style from their own host', async () => {
  for (const path of ['/webapi/v0/', '/webapi/v0/Send']) {
    const answer = await app.request(path)
    assert.match(answer.headers.get('content-security-policy') ?? '', /^default-src 'self'(;|$)/)
    const html = await answer.text()
    assert.doesNotMatch(html, /<script>|<style|\son\w+=|\sstyle=|javascript:/)
    for (const [, source = ''] of html.matchAll(/<(?:script|link)[^>]* (?:src|href)="([^"]+)"/g)) {
      assert.equal((await app.request(source)).status, 200, source)
    }
  }
})

test('script and style say what they are', async () => {
  for (const [path, type] of [
    ['/webapi/v0/page.js', 'text/javascript; charset=utf-8'],
    ['/webapi/v0/page.css', 'text/css; charset=utf-8'],
  ] as const) {
    const answer = await app.request(path)
    assert.deepEqual([answer.status, answer.headers.get('content-type')], [200, type])
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff')
  }
})

test('HTTP methods other than GET and POST are not allowed (AT-05)', async () => {
  for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD']) {
    assert.equal((await app.request('/webapi/v0/Send', { method })).status, 405, method)
  }
})

test('a call from a page of another site is refused before anything is read', async () => {
  for (const site of ['cross-site', 'same-site']) {
    const headers = { 'Sec-Fetch-Site': site }
    assert.equal((await app.request('/webapi/v0/Send', { method: 'POST', headers })).status, 403, site)
  }
})

test('the script posts the form, and shows status and answer; a second call cannot be made meanwhile', async () => {
  const button = { disabled: false }
  const answer = { hidden: true, textContent: '' }
  let submit: (event: { preventDefault(): void }) => Promise<void> = () => assert.fail('nobody listens')
  const form = {
    querySelector: () => button,
    addEventListener: (_name: string, listener: typeof submit) => {
      submit = listener
    },
  }
  const posted: unknown[] = []
  runInNewContext(PAGE_SCRIPT, {
    document: { querySelector: () => form, getElementById: () => answer },
    location: { href: 'https://mail.example/webapi/v0/MessageGet' },
    FormData: function (this: { of: unknown }, of: unknown) {
      this.of = of
    },
    fetch: async (url: string, { method, body }: { method: string; body: { of: unknown } }) => {
      posted.push([url, method, body.of === form, button.disabled])
      return new Response('{"Code":"user","Message":"<b>"}', { status: 400 })
    },
  })
  await submit({ preventDefault: () => {} })
  assert.deepEqual(posted, [['https://mail.example/webapi/v0/MessageGet', 'POST', true, true]])
  assert.equal(answer.textContent, '400\n\n{\n  "Code": "user",\n  "Message": "<b>"\n}')
  assert.deepEqual([answer.hidden, button.disabled], [false, false])
})

test('a summary is the first sentence', () => {
  assert.equal(summary('Sends. And more.'), 'Sends.')
  assert.equal(summary('Reads 1.5 of it'), 'Reads 1.5 of it')
})

function unescaped(html: string): string {
  return html.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)))
}
