import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { S3Client } from '@aws-sdk/client-s3'
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import type { SESv2Client } from '@aws-sdk/client-sesv2'
import type { SQSClient } from '@aws-sdk/client-sqs'
import type { ExpiringTable } from '../dynamodb/item-expiry.ts'
import type { NamedTemplate } from '../template/template.ts'
import { createBucket } from './bucket-resource.ts'
import { createQueues } from './queue-resource.ts'
import { createSecret } from './secret-resource.ts'
import { createConfigurationSets } from './ses-resource.ts'
import { createTable } from './table-resource.ts'

/** Clients of the operator, who may do everything. */
export interface ResourceClients {
  readonly dynamodb: DynamoDBClient
  readonly sqs: SQSClient
  readonly s3: S3Client
  readonly secrets: SecretsManagerClient
  readonly ses: SESv2Client
}

/**
 * Creates the stores of the template, or finds them from an earlier start; answers the tables whose items expire.
 * Secrets come first: their ARN is known only afterwards, and other properties may hold it.
 */
export async function createResources(
  template: NamedTemplate,
  clients: ResourceClients,
): Promise<readonly ExpiringTable[]> {
  await Promise.all(
    template
      .ofType('AWS::SecretsManager::Secret')
      .map((secret) => createSecret(secret, template, clients.secrets)),
  )
  const [tables] = await Promise.all([
    Promise.all(
      template.ofType('AWS::DynamoDB::Table').map((table) => createTable(table, template, clients.dynamodb)),
    ),
    createQueues(template.ofType('AWS::SQS::Queue'), template, clients.sqs),
    Promise.all(
      template.ofType('AWS::S3::Bucket').map((bucket) => createBucket(bucket, template, clients.s3)),
    ),
    createConfigurationSets(template, clients.ses),
  ])
  return tables.filter((table) => table !== undefined)
}
