import { Validations } from 'aws-cdk-lib'
import {
  FlowLogDestination,
  GatewayVpcEndpointAwsService,
  IpAddresses,
  type IVpc,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2'
import { Cluster, type ICluster } from 'aws-cdk-lib/aws-ecs'
import { Construct } from 'constructs'
import { Egress, type EgressKind } from './egress.ts'
import { createLogGroup } from './node-function.ts'

const range = '10.0.0.0/16'
/** Fixed, so that the subnets that are there stay as they are when others come or go. */
const cidrMask = 20

interface NetworkProps {
  readonly egress: EgressKind
}

/** Where the tasks run: in public subnets, and where mail goes out directly, in private ones with one way out. */
export class Network extends Construct {
  readonly vpc: IVpc
  readonly cluster: ICluster
  /** The address from which mail goes out directly, if it does. */
  readonly egressAddress?: string

  constructor(scope: Construct, id: string, { egress: kind }: NetworkProps) {
    super(scope, id)
    const egress = kind === 'none' ? undefined : new Egress(this, 'Egress', kind)
    const vpc = createVpc(this, egress)
    this.vpc = vpc as IVpc
    if (egress) {
      egress.complete(this.vpc, range)
      this.egressAddress = egress.address
    }
    const cluster = new Cluster(this, 'Cluster', { vpc: this.vpc })
    this.cluster = cluster as ICluster
    Validations.of(cluster).acknowledge({
      id: 'AwsSolutions-ECS4',
      reason:
        'Container Insights bills each metric monthly; ECS gives the CPU and memory of the service for nothing.',
    })
  }
}

function createVpc(scope: Construct, egress: Egress | undefined): Vpc {
  const vpc = new Vpc(scope, 'Vpc', {
    ipAddresses: IpAddresses.cidr(range),
    maxAzs: 2,
    natGateways: egress ? 1 : 0,
    ...(egress && { natGatewayProvider: egress.provider }),
    subnetConfiguration: [
      { name: 'public', subnetType: SubnetType.PUBLIC, mapPublicIpOnLaunch: false, cidrMask },
      ...(egress ? [{ name: 'egress', subnetType: SubnetType.PRIVATE_WITH_EGRESS, cidrMask }] : []),
    ],
    // Emptying the default group takes a custom resource, a function of its own; nothing here is in that group.
    restrictDefaultSecurityGroup: false,
    flowLogs: {
      all: { destination: FlowLogDestination.toCloudWatchLogs(createLogGroup(scope, 'FlowLogs')) },
    },
  })
  if (!egress) return vpc
  // They cost nothing, and what goes through the NAT does.
  vpc.addGatewayEndpoint('Objects', { service: GatewayVpcEndpointAwsService.S3 })
  vpc.addGatewayEndpoint('Items', { service: GatewayVpcEndpointAwsService.DYNAMODB })
  return vpc
}
