import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type DkimSelector, freshOptions, type Options } from '../../../shared/account/options.ts'
import { parseDomainName } from '../../../shared/address/domain-name.ts'
import { seal, sealingKeys } from '../../../shared/base/sealed.ts'
import { newDkimKeyPair } from '../../../shared/dkim/dkim-key.ts'
import { sealingContext } from '../../../shared/dkim/dkim-key-store.ts'
import { type MessageSigner, messageSigner } from '../../../shared/dkim/message-signer.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { seededRandom } from '../../support/seeded-random.ts'

const domain = parseDomainName('shop.example')
const { privateKey, publicKey } = await newDkimKeyPair('ed25519-sha256')
const sealed = seal(sealingKeys('secret'), seededRandom(1), sealingContext(domain, publicKey), privateKey)

suite('which messages are signed', () => {
  const cases = [
    {
      rule: 'by the domain of the From field (RFC 7489 §3.1)',
      from: 'From: <a@shop.example>',
      signatures: 1,
    },
    { rule: 'however it is written', from: 'From: <a@SHOP.Example>', signatures: 1 },
    { rule: 'not by a domain above', from: 'From: <a@new.shop.example>', signatures: 0 },
    { rule: 'not by a domain that is not ours', from: 'From: <a@other.example>', signatures: 0 },
    { rule: 'not of several authors', from: 'From: <a@shop.example>, <b@shop.example>', signatures: 0 },
    { rule: 'not without an author', from: 'Subject: x', signatures: 0 },
  ]
  for (const { rule, from, signatures } of cases) {
    test(rule, async () => {
      const content = Buffer.from(`${from}\r\n\r\nbody\r\n`)
      const signed = Buffer.from(await signedBy(signer(), options({ signs: true }), content)).toString()
      assert.equal(signed.match(/^DKIM-Signature:/gm)?.length ?? 0, signatures)
      assert.ok(signed.endsWith(content.toString()))
    })
  }

  test('by the selectors that sign only', async () => {
    const content = Buffer.from('From: <a@shop.example>\r\n\r\n')
    assert.deepEqual(await signer().sign(options({ signs: false }), content), content)
  })

  test('none while a key is missing, which is said', async () => {
    const without = messageSigner({
      dkimKeys: { read: async () => undefined },
      sealingSecret: async () => 'secret',
      clock: fakeClock(),
    })
    const result = await without.sign(options({ signs: true }), Buffer.from('From: <a@shop.example>\r\n\r\n'))
    assert.deepEqual(result, { mistake: 'the private key of DKIM selector one of shop.example is missing' })
  })

  test('a key is read once', async () => {
    let reads = 0
    const counting = signer(() => reads++)
    const content = Buffer.from('From: <a@shop.example>\r\n\r\n')
    for (let count = 0; count < 3; count++) await signedBy(counting, options({ signs: true }), content)
    assert.equal(reads, 1)
  })
})

function signer(onRead: () => unknown = () => {}): MessageSigner {
  return messageSigner({
    dkimKeys: {
      read: async () => {
        onRead()
        return sealed
      },
    },
    sealingSecret: async () => 'secret',
    clock: fakeClock(),
  })
}

function options({ signs }: Pick<DkimSelector, 'signs'>): Options {
  const selector: DkimSelector = { selector: 'one', algorithm: 'ed25519-sha256', publicKey, signs }
  return {
    ...freshOptions,
    domains: { [domain]: { separators: [], disabled: false, dkimSelectors: [selector] } },
  }
}

async function signedBy(by: MessageSigner, from: Options, content: Uint8Array): Promise<Uint8Array> {
  const signed = await by.sign(from, content)
  assert.ok(!('mistake' in signed))
  return signed
}
