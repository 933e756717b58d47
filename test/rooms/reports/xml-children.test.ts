import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readXmlChildren, type XmlElement } from '../../../shared/reports/xml-children.ts'

const rows: readonly (readonly [rule: string, xml: string, children: readonly string[]])[] = [
  ['elements', '<r><a>x</a><b/></r>', ['a=x', 'b=']],
  [
    'a declaration, comments, instructions',
    '<?xml version="1.0"?><!-- < --><r><?p ?><a><!--y-->x</a></r>',
    ['a=x'],
  ],
  ['attributes with everything', `<r x='>' y = "/>"><a z=">">x</a ></r>`, ['a=x']],
  ['namespaces', '<n:r xmlns:n="urn:x"><n:a>x</n:a></n:r>', ['a=x']],
  ['predefined entities (XML §4.6)', '<r><a>&lt;&amp;&#65;&#x42;&quot;</a></r>', ['a=<&AB"']],
  ['unknown entities as they are', '<r><a>&lol;&#xffffff;</a></r>', ['a=&lol;\ufffd']],
  ['CDATA', '<r><a>1<![CDATA[<b>&amp;]]>2</a></r>', ['a=1<b>&amp;2']],
  ['children of children', '<r><a> <b>1</b> <b>2</b> </a></r>', ['a=(b=1,b=2)']],
  ['what follows the root not at all', '<r><a/></r><<<', ['a=']],
  ['white space and byte order marks around', '\ufeff\n<r>\n<a> x </a>\n</r>', ['a=x']],
]

for (const [rule, xml, children] of rows) {
  test(`XML: reads ${rule}`, () => {
    assert.deepEqual([...readXmlChildren(xml, 'r')].map(shown), children)
  })
}

const wrong: readonly (readonly [rule: string, xml: string, message: RegExp])[] = [
  ['nothing', '', /no XML/],
  ['text', 'hello', /no XML/],
  ['another root', '<html></html>', /another root/],
  ['a document type, and so entities that grow', '<!DOCTYPE r [<!ENTITY a "b">]><r/>', /document type/],
  ['tags that cross', '<r><a><b></a></b></r>', /do not match/],
  ['an end without a start', '</r>', /do not match/],
  ['an end that is missing', '<r><a>', /ends early/],
  ['a comment without end', '<r><!-- ', /ends early/],
  ['a broken tag', '<r><a <b></a></r>', /malformed tag/],
  ['a tag that is too long', `<r><a x="${'y'.repeat(5000)}"/></r>`, /malformed tag/],
  ['great depth', `<r>${'<a>'.repeat(30)}`, /too many/],
  ['great width', `<r><a>${'<b/>'.repeat(1001)}</a></r>`, /too many/],
]

for (const [rule, xml, message] of wrong) {
  test(`XML: refuses ${rule}`, () => {
    assert.throws(() => [...readXmlChildren(xml, 'r')], message)
  })
}

for (const part of ['<', '<a ', '<a x="', '<!--', '&', '&#', '</', '<a x=', ' ']) {
  test(`XML: reads or refuses megabytes of ${JSON.stringify(part)} in no time`, () => {
    const startedAt = performance.now()
    try {
      for (const _ of readXmlChildren(`<r>${part.repeat(5_000_000 / part.length)}`, 'r'));
    } catch {
      // Whichever it is.
    }
    assert.ok(performance.now() - startedAt < 3_000)
  })
}

test('XML: the first child is there before the last is read', () => {
  const [first] = readXmlChildren('<r><a/><<<', 'r')
  assert.equal(first?.name, 'a')
})

function shown({ name, text, children }: XmlElement): string {
  return `${name}=${children.length > 0 ? `(${children.map(shown).join(',')})` : text}`
}
