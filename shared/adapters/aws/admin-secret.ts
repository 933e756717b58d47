import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'

/** The administrator's first password, generated with the deployment; read when it is asked for, never kept. */
export function adminSecret(arn: string): () => Promise<string> {
  const client = new SecretsManagerClient({})
  return async () => {
    const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: arn }))
    if (!SecretString) throw new Error('the administrator secret has no text')
    return SecretString
  }
}
