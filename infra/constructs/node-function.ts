import { Duration, RemovalPolicy } from 'aws-cdk-lib'
import { type IRole, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import {
  Architecture,
  Code,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
} from 'aws-cdk-lib/aws-lambda'
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs'
import { Construct } from 'constructs'
import { variables } from '../../shared/runtime/names.ts'

/** Values for the variables a deployable reads, by their key in `names.ts`. */
export type Environment = { readonly [key in keyof typeof variables]?: string }

interface NodeFunctionProps {
  /** Directory of the bundles; the function runs `<bundles>/<name>/handler.mjs`. */
  readonly bundles: string
  readonly name: string
  readonly timeoutSeconds: number
  /** 512 if not given; more memory brings more of a processor. */
  readonly memoryMb?: number
  readonly environment: Environment
}

/** A Lambda function with what all of ours share: its own log group, and a role that may only write to it. */
export class NodeFunction extends Construct {
  readonly role: Role
  readonly lambda: LambdaFunction

  constructor(scope: Construct, id: string, props: NodeFunctionProps) {
    super(scope, id)
    const logs = createLogGroup(this, 'Logs')
    this.role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') })
    allow(this.role, ['logs:CreateLogStream', 'logs:PutLogEvents'], [logs.logGroupArn])
    this.lambda = new LambdaFunction(this, 'Function', {
      code: Code.fromAsset(`${props.bundles}/${props.name}`),
      handler: 'handler.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: props.memoryMb ?? 512,
      timeout: Duration.seconds(props.timeoutSeconds),
      loggingFormat: LoggingFormat.JSON,
      logGroup: logs,
      role: this.role,
      environment: toVariables(props.environment),
    })
  }
}

/** A log group kept for a month and deleted with the stack: logs explain what happened, they are not data. */
export function createLogGroup(scope: Construct, id: string): LogGroup {
  return new LogGroup(scope, id, { retention: RetentionDays.ONE_MONTH, removalPolicy: RemovalPolicy.DESTROY })
}

/** Lets a role do `actions` on exactly `resources`. */
export function allow(role: IRole, actions: readonly string[], resources: readonly string[]): void {
  role.addToPrincipalPolicy(new PolicyStatement({ actions: [...actions], resources: [...resources] }))
}

/** The environment as the deployable sees it: `POSTERN_…` names. */
export function toVariables(environment: Environment): Record<string, string> {
  const keys = Object.keys(environment) as (keyof Environment)[]
  return Object.fromEntries(keys.map((key) => [variables[key], environment[key] ?? '']))
}
