import { Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib'
import { AttributeType, BillingMode, ProjectionType, Table } from 'aws-cdk-lib/aws-dynamodb'
import { type IRole, PolicyStatement } from 'aws-cdk-lib/aws-iam'
import { BlockPublicAccess, Bucket, BucketEncryption } from 'aws-cdk-lib/aws-s3'
import { Secret } from 'aws-cdk-lib/aws-secretsmanager'
import { Construct } from 'constructs'
import { dueIndex, retiredIndex, tableKeys } from '../../shared/runtime/names.ts'
import { allow } from './node-function.ts'

/** The partition keys of each kind of item, as `dynamodb:LeadingKeys` patterns (ARCHITECTURE.md, "Data"). */
const entities = {
  options: 'CFG',
  addresses: 'AD#*',
  credentials: 'K#*',
  content: 'B#*',
  mailContent: 'B#mail/*',
  messages: 'M#*',
  webhookCalls: 'H#*',
  webhookSecrets: 'W#*',
  dkimKeys: 'DK#*',
  transportPasswords: 'TP',
  failingWebhooks: 'F#*',
  suppressions: 'S#*',
  recipients: 'R#*',
  keyedSends: 'I#*',
  operations: 'OP',
  reports: 'RP#*',
  messageIds: 'P#*',
  counters: 'T#*',
  certificate: 'TLS',
  stsPolicies: 'STS',
  tlsResults: 'TR#*',
  sesRate: 'SE',
  domainTls: 'DT#*',
  uploads: 'UP#*',
  mails: 'N#*',
  uids: 'U#*',
  mailboxes: 'MB#*',
  mailboxChanges: 'C#*',
} as const

/** The kinds of rows an index holds: the first part of its partition key. */
type IndexKind = 'mail' | 'hook' | 'held-mail' | 'held-hook' | 'operation'

type ItemAction = 'GetItem' | 'BatchGetItem' | 'Query' | 'PutItem' | 'UpdateItem' | 'DeleteItem'

/** What outlives a deployment: the table, the bucket, the admin password. And the only ways to be let in. */
export class Data extends Construct {
  readonly table: Table
  readonly bucket: Bucket
  readonly adminSecret: Secret
  /** What the unique parts of reverse-paths are encrypted with; its lines are keys, the first is the current one. */
  readonly fromIdSecret: Secret
  /** What private keys in the table are encrypted with; lines as above. */
  readonly sealingSecret: Secret

  constructor(scope: Construct, id: string) {
    super(scope, id)
    this.table = createTable(this)
    this.bucket = createBucket(this)
    this.adminSecret = createSecret(this, 'AdminPassword', {
      description: 'Password of the Postern admin API',
      length: 24,
      whyKept: 'A person types this password: changing it behind the operator’s back locks the operator out.',
    })
    this.fromIdSecret = createSecret(this, 'FromIdKeys', {
      description: 'Keys of the FromIDs of Postern, one a line, the current one first',
      length: 64,
      whyKept:
        'Bounces come days later to addresses made with this key: a rotation must keep the old one, by hand.',
    })
    this.sealingSecret = createSecret(this, 'SealingKeys', {
      description:
        'What Postern encrypts private keys and passwords of relays with, one a line, the current one first',
      length: 64,
      whyKept: 'What was sealed stays in the table: a rotation must keep the old key, by hand.',
    })
  }

  /** Lets a role do `actions` on the items of `kinds`. A transaction needs the actions of its parts, no more. */
  allowItems(role: IRole, actions: readonly ItemAction[], kinds: readonly (keyof typeof entities)[]): void {
    const keys = kinds.map((kind) => entities[kind])
    role.addToPrincipalPolicy(onLeadingKeys(actions, this.table.tableArn, keys))
  }

  /** Lets a role query an index; the leading key there is the index's own partition key. */
  allowIndex(role: IRole, index: { readonly name: string }, kinds: readonly IndexKind[]): void {
    const keys = kinds.map((kind) => `${kind}#*`)
    role.addToPrincipalPolicy(onLeadingKeys(['Query'], `${this.table.tableArn}/index/${index.name}`, keys))
  }

  /** Lets a role read or write the objects below `prefix`. */
  allowObjects(
    role: IRole,
    action: 's3:DeleteObject' | 's3:GetObject' | 's3:PutObject',
    prefix: 'hook' | 'mail' | 'queue' | 'upload',
  ): void {
    allow(role, [action], [this.bucket.arnForObjects(`${prefix}/*`)])
    const bucketId = Stack.of(this).resolve(this.bucket.bucketArn)['Fn::GetAtt'][0]
    Validations.of(role).acknowledge({
      id: `AwsSolutions-IAM5[Resource::<${bucketId}.Arn>/${prefix}/*]`,
      reason: `One object per ${prefix} item, named by its id: the prefix is the narrowest name known before.`,
    })
  }
}

function onLeadingKeys(actions: readonly ItemAction[], resource: string, keys: readonly string[]) {
  return new PolicyStatement({
    actions: actions.map((action) => `dynamodb:${action}`),
    resources: [resource],
    conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': keys } },
  })
}

function createTable(scope: Construct): Table {
  const table = new Table(scope, 'Table', {
    partitionKey: { name: tableKeys.partition, type: AttributeType.STRING },
    sortKey: { name: tableKeys.sort, type: AttributeType.STRING },
    timeToLiveAttribute: tableKeys.expires,
    billingMode: BillingMode.PAY_PER_REQUEST,
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    deletionProtection: true,
    removalPolicy: RemovalPolicy.RETAIN,
  })
  for (const index of [dueIndex, retiredIndex]) {
    table.addGlobalSecondaryIndex({
      indexName: index.name,
      partitionKey: { name: index.partition, type: AttributeType.STRING },
      sortKey: { name: index.sort, type: AttributeType.STRING },
      projectionType: ProjectionType.KEYS_ONLY,
    })
  }
  return table
}

function createBucket(scope: Construct): Bucket {
  const bucket = new Bucket(scope, 'Bucket', {
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    encryption: BucketEncryption.S3_MANAGED,
    enforceSSL: true,
    removalPolicy: RemovalPolicy.RETAIN,
    lifecycleRules: [
      { id: 'abandoned-uploads', abortIncompleteMultipartUploadAfter: Duration.days(1) },
      // A message may be scheduled 60 days ahead; its attempts fit into the rest.
      { id: 'queue', prefix: 'queue/', expiration: Duration.days(90) },
      { id: 'hook', prefix: 'hook/', expiration: Duration.days(30) },
      { id: 'upload', prefix: 'upload/', expiration: Duration.days(2) },
    ],
  })
  Validations.of(bucket).acknowledge({
    id: 'AwsSolutions-S1',
    reason:
      'Only the roles of this stack can read it, and their functions log what they do; a log bucket doubles the requests.',
  })
  return bucket
}

/** A secret that is generated with the deployment and outlives it; `whyKept` says why nothing rotates it. */
function createSecret(
  scope: Construct,
  id: string,
  {
    description,
    length,
    whyKept,
  }: { readonly description: string; readonly length: number; readonly whyKept: string },
): Secret {
  const secret = new Secret(scope, id, {
    description,
    generateSecretString: { passwordLength: length, excludePunctuation: true },
    removalPolicy: RemovalPolicy.RETAIN,
  })
  Validations.of(secret).acknowledge({ id: 'AwsSolutions-SMG4', reason: whyKept })
  return secret
}
