import { RemovalPolicy, Validations } from 'aws-cdk-lib'
import {
  AmazonLinuxCpuType,
  CfnEIP,
  CfnEIPAssociation,
  type CfnInstance,
  type Instance,
  InstanceClass,
  InstanceSize,
  InstanceType,
  type IVpc,
  MachineImage,
  NatInstanceProviderV2,
  NatProvider,
  NatTrafficDirection,
  Peer,
  Port,
  UserData,
} from 'aws-cdk-lib/aws-ec2'
import { Construct } from 'constructs'

/** How what delivers directly gets out: not at all, by a small machine of ours, or by AWS's gateway. */
export type EgressKind = 'none' | 'nat-instance' | 'nat-gateway'

/** `-c egress=…` */
export function egressKind(scope: Construct): EgressKind {
  const kind: unknown = scope.node.tryGetContext('egress') ?? 'none'
  if (kind === 'none' || kind === 'nat-instance' || kind === 'nat-gateway') return kind
  throw new Error(`context egress must be none, nat-instance or nat-gateway, not ${String(kind)}`)
}

/**
 * The one address from which mail goes out: a task of Fargate has none that stays, and servers judge mail by it. The
 * address is kept when the stack goes: DNS names it, and its reputation took months.
 */
export class Egress extends Construct {
  /** IPv4. */
  readonly address: string
  /** For the VPC that is to have it. */
  readonly provider: NatProvider
  private readonly allocationId: string

  constructor(scope: Construct, id: string, kind: Exclude<EgressKind, 'none'>) {
    super(scope, id)
    const address = new CfnEIP(this, 'Address', { domain: 'vpc' })
    address.applyRemovalPolicy(RemovalPolicy.RETAIN)
    this.address = address.ref
    this.allocationId = address.attrAllocationId
    this.provider =
      kind === 'nat-instance'
        ? createInstanceProvider()
        : NatProvider.gateway({ eipAllocationIds: [this.allocationId] })
  }

  /** To be called once the VPC is there: only then a machine is, too. `range` is whom it lets in. */
  complete(vpc: IVpc, range: string): void {
    if (!(this.provider instanceof NatInstanceProviderV2)) return
    this.provider.connections.allowFrom(Peer.ipv4(range), Port.allTraffic(), 'what the VPC sends out')
    for (const instance of this.provider.gatewayInstances) {
      protect(instance)
      instance.node.addDependency(vpc.internetConnectivityEstablished)
      const { instanceId } = instance
      new CfnEIPAssociation(this, 'Association', { allocationId: this.allocationId, instanceId })
    }
  }
}

/** Amazon Linux by its parameter in Systems Manager, which CloudFormation looks up at each deployment. */
function createInstanceProvider() {
  const userData = UserData.forLinux()
  userData.addCommands(...natCommands)
  return NatProvider.instanceV2({
    instanceType: InstanceType.of(InstanceClass.T4G, InstanceSize.NANO),
    machineImage: MachineImage.latestAmazonLinux2023({ cpuType: AmazonLinuxCpuType.ARM_64 }),
    defaultAllowedTraffic: NatTrafficDirection.OUTBOUND_ONLY,
    // It installs what it needs before it has the address that stays.
    associatePublicIpAddress: true,
    userData,
  })
}

/**
 * As the VPC user guide has it ("Work with NAT instances"). The address changes while the machine starts, which can
 * break off the installation.
 */
const natCommands = [
  'until yum install -y iptables-services; do sleep 5; done',
  'echo net.ipv4.ip_forward=1 > /etc/sysctl.d/90-nat.conf',
  'sysctl -p /etc/sysctl.d/90-nat.conf',
  'systemctl enable --now iptables',
  'iptables -F FORWARD',
  'iptables -t nat -A POSTROUTING -o "$(ip -o -4 route show default | awk \'{print $5; exit}\')" -j MASQUERADE',
  'service iptables save',
]

/** Its metadata service wants tokens (IMDSv2), its disk is encrypted. */
function protect(instance: Instance): void {
  const resource = instance.node.defaultChild as CfnInstance
  resource.metadataOptions = { httpTokens: 'required' }
  resource.blockDeviceMappings = [{ deviceName: '/dev/xvda', ebs: { encrypted: true, volumeType: 'gp3' } }]
  Validations.of(instance).acknowledge({
    id: 'AwsSolutions-EC28',
    reason: 'Nothing acts on metrics by the minute; EC2 recovers the machine by itself without them.',
  })
  Validations.of(instance).acknowledge({
    id: 'AwsSolutions-EC29',
    reason: 'It holds nothing: a deployment with a newer image replaces it, and the address stays.',
  })
}
