import { Duration, Validations } from 'aws-cdk-lib'
import {
  ContainerDependencyCondition,
  ContainerImage,
  CpuArchitecture,
  FargateTaskDefinition,
  type HealthCheck,
  LogDrivers,
  OperatingSystemFamily,
} from 'aws-cdk-lib/aws-ecs'
import { Asset } from 'aws-cdk-lib/aws-s3-assets'
import type { Construct } from 'constructs'
import { allow, createLogGroup, type Environment, toVariables } from './node-function.ts'
import { addResolver, resolverAddress } from './resolver-container.ts'

/**
 * Stock images for arm64 and x86, each pinned by digest; `-c copyImage=…`, `-c resolverImage=…`, and `listenerImage` or
 * `senderImage` replace them.
 */
const copyImage =
  'public.ecr.aws/aws-cli/aws-cli:2.37.0@sha256:337494c2047176fe9abcf45a5d1eaf1c2c62cae40953284fb1143b5c6170f065'
const nodeImage =
  'public.ecr.aws/docker/library/node:24-alpine@sha256:a0b9bf06e4e6193cf7a0f58816cc935ff8c2a908f81e6f1a95432d679c54fbfd'

const codeDirectory = '/code'

interface NodeTaskProps {
  /** Directory of the bundles; the task runs `<bundles>/<name>/main.mjs`. */
  readonly bundles: string
  /** Also of its main container, and of the context that replaces its image. */
  readonly name: 'listener' | 'sender'
  readonly cpu: number
  readonly memoryMb: number
  /** Beyond where the resolver is. */
  readonly environment: (task: FargateTaskDefinition) => Environment
  readonly ports: readonly number[]
  readonly healthCheck?: HealthCheck
}

/**
 * A stock Node image that runs a bundle of ours, which is copied first, so that deploying needs no Docker; and beside
 * it a resolver that validates, for which it waits.
 */
export function createNodeTask(scope: Construct, id: string, props: NodeTaskProps): FargateTaskDefinition {
  const task = new FargateTaskDefinition(scope, id, {
    cpu: props.cpu,
    memoryLimitMiB: props.memoryMb,
    runtimePlatform: {
      cpuArchitecture: CpuArchitecture.ARM64,
      operatingSystemFamily: OperatingSystemFamily.LINUX,
    },
    volumes: [{ name: 'code' }],
  })
  Validations.of(task).acknowledge({
    id: 'AwsSolutions-ECS2',
    reason: 'The variables are names, addresses and numbers; no secret is among them.',
  })
  addContainers(task, props)
  return task
}

function addContainers(task: FargateTaskDefinition, props: NodeTaskProps): void {
  const { bundles, name, environment, ports, healthCheck } = props
  const bundle = new Asset(task, 'Bundle', { path: `${bundles}/${name}/main.mjs` })
  allow(task.taskRole, ['s3:GetObject'], [bundle.bucket.arnForObjects(bundle.s3ObjectKey)])
  const logGroup = createLogGroup(task, 'Logs')
  const logging = (streamPrefix: string) => LogDrivers.awsLogs({ logGroup, streamPrefix })
  const copy = task.addContainer('copy', {
    image: imageFrom(task, 'copyImage', copyImage),
    command: ['s3', 'cp', '--only-show-errors', bundle.s3ObjectUrl, `${codeDirectory}/main.mjs`],
    essential: false,
    logging: logging('copy'),
  })
  copy.addMountPoints({ sourceVolume: 'code', containerPath: codeDirectory, readOnly: false })
  const resolver = addResolver(task, imageFrom(task, 'resolverImage', nodeImage), logging('resolver'))
  const main = task.addContainer(name, {
    image: imageFrom(task, `${name}Image`, nodeImage),
    command: ['node', `${codeDirectory}/main.mjs`],
    environment: toVariables({
      ...environment(task),
      dnsServers: `${resolverAddress.host}:${resolverAddress.port}`,
    }),
    portMappings: ports.map((containerPort) => ({ containerPort })),
    ...(healthCheck && { healthCheck }),
    readonlyRootFilesystem: true,
    user: '1000',
    // The most Fargate grants: the program itself ends its sessions before.
    stopTimeout: Duration.seconds(120),
    logging: logging(name),
  })
  main.addMountPoints({ sourceVolume: 'code', containerPath: codeDirectory, readOnly: true })
  main.addContainerDependencies(
    { container: copy, condition: ContainerDependencyCondition.SUCCESS },
    { container: resolver, condition: ContainerDependencyCondition.HEALTHY },
  )
}

function imageFrom(scope: Construct, contextKey: string, fallback: string): ContainerImage {
  const image: unknown = scope.node.tryGetContext(contextKey) ?? fallback
  if (typeof image !== 'string') throw new Error(`context ${contextKey} must be the name of an image`)
  return ContainerImage.fromRegistry(image)
}
