import { type MethodEntry, methods } from './methods.ts'

/** The page that lists all methods. */
export function methodsPage(): string {
  const items = Object.entries(methods).map(
    ([name, { doc }]) => `<dt><a href="/webapi/v0/${name}">${name}</a></dt><dd>${escaped(summary(doc))}</dd>`,
  )
  return page(
    'Postern webapi, version 0',
    `<p>A call is a POST of a form with the field <code>request</code>, or of JSON, with the HTTP Basic credentials of
an account. A failed call has status 400, and JSON with Code and Message.
<a href="/webapi/v0/openapi.json">OpenAPI document</a></p>
<dl>${items.join('\n')}</dl>`,
  )
}

/** The page of one method, from where it can be called. */
export function methodPage(name: string, { doc, exampleRequest, returns }: MethodEntry): string {
  const request = prettyJson(exampleRequest)
  const example = returns.kind === 'json' ? prettyJson(returns.example) : returns.example
  return page(
    name,
    `<p>${escaped(doc)}</p>
<form method="post" enctype="multipart/form-data" data-returns="${returns.kind}">
<p><label for="request">Request, for example:</label></p>
<textarea id="request" name="request" rows="${request.split('\n').length + 2}" spellcheck="false">
${escaped(request)}</textarea>
<p><button>Call ${name}</button></p>
</form>
<pre id="answer" hidden></pre>
<p>Response, for example:</p>
<pre>${escaped(example)}</pre>
<p><a href="/webapi/v0/">All methods</a></p>`,
  )
}

/** The first sentence, as lists show it. */
export function summary(doc: string): string {
  return /^.*?[.](?= |$)/s.exec(doc)?.[0] ?? doc
}

/** What the pages run. An answer of bytes is left to the browser, which shows or saves it. */
export const PAGE_SCRIPT = `const form = document.querySelector('form[data-returns="json"]')
const answer = document.getElementById('answer')
form?.addEventListener('submit', async (event) => {
  event.preventDefault()
  const button = form.querySelector('button')
  button.disabled = true
  answer.hidden = false
  answer.textContent = 'calling …'
  try {
    const response = await fetch(location.href, { method: 'POST', body: new FormData(form) })
    answer.textContent = response.status + '\\n\\n' + pretty(await response.text())
  } catch (error) {
    answer.textContent = String(error)
  } finally {
    button.disabled = false
  }
})

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}
`

/** How the pages look. */
export const PAGE_STYLE = `:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }
body { max-width: 50rem; margin: 2rem auto; padding: 0 1rem }
dt { margin-top: 0.75rem; font-family: ui-monospace, monospace }
dd { margin-left: 1.5rem }
textarea, pre { box-sizing: border-box; width: 100%; padding: 0.75rem; font: 0.875rem/1.4 ui-monospace, monospace }
pre { border: 1px solid; white-space: pre-wrap; overflow-wrap: anywhere }
`

function page(title: string, content: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="stylesheet" href="/webapi/v0/page.css">
<script type="module" src="/webapi/v0/page.js"></script>
<h1>${title}</h1>
${content}
</html>
`
}

function prettyJson(value: object): string {
  return JSON.stringify(value, undefined, 2)
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
}
