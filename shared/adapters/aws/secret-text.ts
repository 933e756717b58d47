import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'

/** The text of a secret that was generated with the deployment, read each time it is asked for. */
export function secretText(arn: string): () => Promise<string> {
  const client = new SecretsManagerClient({})
  return async () => {
    const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: arn }))
    if (!SecretString) throw new Error('the secret has no text')
    return SecretString
  }
}
