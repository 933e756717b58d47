import {
  BucketAlreadyExists,
  BucketAlreadyOwnedByYou,
  CreateBucketCommand,
  type LifecycleRule,
  PutBucketLifecycleConfigurationCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { z } from 'zod'
import type { Resource } from '../template/resource.ts'
import type { NamedTemplate } from '../template/template.ts'

/** Creates an `AWS::S3::Bucket` with its lifecycle rules. */
export async function createBucket(
  resource: Resource,
  template: NamedTemplate,
  client: S3Client,
): Promise<void> {
  const Bucket = template.identities.reference(resource.logicalId)
  const { LifecycleConfiguration } = template.read(resource, bucketSchema)
  try {
    await client.send(new CreateBucketCommand({ Bucket }))
  } catch (error) {
    if (!(error instanceof BucketAlreadyOwnedByYou || error instanceof BucketAlreadyExists)) throw error
  }
  const Rules = LifecycleConfiguration?.Rules.map(lifecycleRule)
  if (!Rules?.length) return
  await client.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules } }))
}

const ruleSchema = z.object({
  Id: z.string().optional(),
  Status: z.enum(['Enabled', 'Disabled']),
  Prefix: z.string().optional(),
  ExpirationInDays: z.coerce.number().optional(),
  AbortIncompleteMultipartUpload: z.object({ DaysAfterInitiation: z.coerce.number() }).optional(),
})

const bucketSchema = z.object({ LifecycleConfiguration: z.object({ Rules: z.array(ruleSchema) }).optional() })

/** CloudFormation names the parts of a rule differently than the S3 API. */
function lifecycleRule(rule: z.infer<typeof ruleSchema>, index: number): LifecycleRule {
  return {
    ID: rule.Id ?? `rule-${index + 1}`,
    Status: rule.Status,
    Filter: { Prefix: rule.Prefix ?? '' },
    ...(rule.ExpirationInDays && { Expiration: { Days: rule.ExpirationInDays } }),
    ...(rule.AbortIncompleteMultipartUpload && {
      AbortIncompleteMultipartUpload: rule.AbortIncompleteMultipartUpload,
    }),
  }
}
