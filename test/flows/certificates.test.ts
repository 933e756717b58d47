import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { EditableTemplate } from '../../infra/local/boot.ts'
import { nameOf } from '../../infra/local/template/resource.ts'
import { getItem } from '../../shared/adapters/aws/dynamo.ts'
import { keys } from '../../shared/adapters/aws/table.ts'
import { variables } from '../../shared/runtime/names.ts'
import { selfSigned } from '../adapters/net/self-signed.ts'
import { smtpSession } from '../support/smtp-session.ts'
import { type TestPostern, testPostern } from '../support/test-postern.ts'

test('the certificate is made once for localhost, the same on all ports and after a restart', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'postern-certificates-'))
  t.after(() => rmSync(directory, { recursive: true, force: true, maxRetries: 3 }))
  const first = await testPostern(t, { directory })
  const certificate = await shownAt(t, first, 'submissionsPort')
  assert.equal(certificate.checkHost('localhost'), 'localhost')
  for (const port of ['smtpPort', 'submissionPort'] as const) {
    assert.equal((await shownAt(t, first, port)).fingerprint256, certificate.fingerprint256)
  }
  await first.local.stop()

  const second = await testPostern(t, { directory })
  const item = await getItem(second.table, keys.certificate())
  assert.doesNotMatch(Buffer.from(item?.sealedKey as Uint8Array).toString('latin1'), /PRIVATE KEY/)
  assert.equal((await shownAt(t, second, 'submissionsPort')).fingerprint256, certificate.fingerprint256)
})

test("with POSTERN_TLS_SECRET_ARN the operator's certificate is shown, and none is made", async (t) => {
  const { cert, key } = selfSigned(['mail.example'])
  const secret = JSON.stringify({ certificate: cert, privateKey: key })
  const postern = await testPostern(t, { editTemplate: (template) => addTlsSecret(template, secret) })
  const shown = await shownAt(t, postern, 'submissionsPort')
  assert.equal(shown.fingerprint256, new X509Certificate(cert).fingerprint256)
  assert.equal(await getItem(postern.table, keys.certificate()), undefined)
})

async function shownAt(
  t: TestContext,
  postern: TestPostern,
  port: 'smtpPort' | 'submissionPort' | 'submissionsPort',
): Promise<X509Certificate> {
  const isEncrypted = port === 'submissionsPort'
  const session = await smtpSession(t, { port: postern[port], isEncrypted })
  if (!isEncrypted) {
    await session.say('EHLO client.test')
    await session.startTls()
  }
  const shown = session.tlsSocket().getPeerX509Certificate()
  session.hangUp()
  return shown ?? assert.fail('no certificate')
}

/** As an operator's secret and `-c tlsSecretArn` do, but that the secret comes with the template. */
function addTlsSecret({ Resources }: EditableTemplate, SecretString: string): void {
  const Ref = 'OperatorTls'
  Resources[Ref] = { Type: 'AWS::SecretsManager::Secret', Properties: { SecretString } }
  const containers = propertiesOf(Resources, 'MailListenerTask').ContainerDefinitions as Container[]
  const listener = containers.find(({ Name }) => Name === 'listener')
  listener?.Environment.push({ Name: variables.tlsSecretArn, Value: { Ref } })
  const policy = propertiesOf(Resources, 'MailListenerTaskTaskRoleDefaultPolicy').PolicyDocument as Policy
  policy.Statement.push({ Effect: 'Allow', Action: 'secretsmanager:GetSecretValue', Resource: { Ref } })
}

interface Container {
  readonly Name: string
  readonly Environment: unknown[]
}

interface Policy {
  readonly Statement: unknown[]
}

function propertiesOf(resources: EditableTemplate['Resources'], name: string): Record<string, unknown> {
  const [, found] = Object.entries(resources).find(([id]) => nameOf(id) === name) ?? []
  return found?.Properties ?? assert.fail(`the template has no ${name}`)
}
