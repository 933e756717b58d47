import { Duration, Fn, RemovalPolicy, Validations } from 'aws-cdk-lib'
import { CfnEIP, type IVpc, Peer, Port, SecurityGroup } from 'aws-cdk-lib/aws-ec2'
import type { FargateService } from 'aws-cdk-lib/aws-ecs'
import {
  NetworkLoadBalancer,
  NetworkTargetGroup,
  Protocol,
  TargetType,
} from 'aws-cdk-lib/aws-elasticloadbalancingv2'
import { Construct } from 'constructs'

/** A port that the Internet sees, and the container's port behind it. */
export interface MailPort {
  readonly name: string
  readonly public: number
  readonly container: number
  /** Longer than the listener itself waits for an idle client, so that it is the one to say good-bye. */
  readonly idleSeconds: number
}

interface MailLoadBalancerProps {
  readonly vpc: IVpc
  readonly service: FargateService
  readonly containerName: string
  /** Of the tasks; lets in the load balancer and nobody else. */
  readonly taskGroup: SecurityGroup
  readonly ports: readonly MailPort[]
  readonly healthPort: number
}

/**
 * The mail ports at fixed addresses, one for each zone: senders look up their names, and their PTR records name us.
 * TCP goes through as it is, with the client's own address, which SPF, limits and logs need; TLS ends in the listener.
 * (Elastic Load Balancing, "Network Load Balancers": client IP preservation, cross-zone, idle time.)
 */
export class MailLoadBalancer extends Construct {
  /** Its IPv4 addresses, for the A record of the mail host, with spaces between. */
  readonly addresses: string

  constructor(scope: Construct, id: string, props: MailLoadBalancerProps) {
    super(scope, id)
    const { vpc, taskGroup, ports } = props
    const group = createGroup(this, vpc, ports)
    const addresses = vpc.publicSubnets.map((_, place) => createAddress(this, `Address${place + 1}`))
    const balancer = new NetworkLoadBalancer(this, 'LoadBalancer', {
      vpc,
      internetFacing: true,
      // One task may be in one zone only, and each zone's address must answer.
      crossZoneEnabled: true,
      securityGroups: [group],
      subnetMappings: vpc.publicSubnets.map((subnet, place) => ({
        subnet,
        allocationId: addresses[place]?.attrAllocationId ?? '',
      })),
    })
    Validations.of(balancer).acknowledge({
      id: 'AwsSolutions-ELB2',
      reason: 'Network Load Balancers log TLS listeners only; the listener logs each session itself.',
    })
    for (const port of ports) {
      const targets = createTargets(this, port, props)
      balancer.addListener(port.name, {
        port: port.public,
        protocol: Protocol.TCP,
        tcpIdleTimeout: Duration.seconds(port.idleSeconds),
        defaultTargetGroups: [targets],
      })
      taskGroup.addIngressRule(group, Port.tcp(port.container), `${port.name} from the load balancer`)
    }
    taskGroup.addIngressRule(group, Port.tcp(props.healthPort), 'health checks of the load balancer')
    this.addresses = Fn.join(
      ' ',
      addresses.map(({ ref }) => ref),
    )
  }
}

function createGroup(scope: Construct, vpc: IVpc, ports: readonly MailPort[]): SecurityGroup {
  const group = new SecurityGroup(scope, 'Group', { vpc, description: 'Postern mail ports' })
  for (const { name, public: port } of ports) group.addIngressRule(Peer.anyIpv4(), Port.tcp(port), name)
  Validations.of(group).acknowledge({
    id: 'AwsSolutions-EC23',
    reason: 'Mail comes from anywhere.',
  })
  return group
}

/** Kept when the stack goes: DNS names it, and its reputation took months. */
function createAddress(scope: Construct, id: string): CfnEIP {
  const address = new CfnEIP(scope, id, { domain: 'vpc' })
  address.applyRemovalPolicy(RemovalPolicy.RETAIN)
  return address
}

function createTargets(
  scope: Construct,
  { name, container }: MailPort,
  { vpc, service, containerName, healthPort }: MailLoadBalancerProps,
): NetworkTargetGroup {
  return new NetworkTargetGroup(scope, `${name}Targets`, {
    vpc,
    port: container,
    protocol: Protocol.TCP,
    targetType: TargetType.IP,
    preserveClientIp: true,
    // A task that was told to stop finishes its sessions within this time.
    deregistrationDelay: Duration.seconds(30),
    // On a port of its own: a health check is no mail client, and a draining task is not healthy.
    healthCheck: {
      protocol: Protocol.HTTP,
      port: String(healthPort),
      path: '/health',
      interval: Duration.seconds(10),
      healthyThresholdCount: 2,
      unhealthyThresholdCount: 2,
    },
    targets: [service.loadBalancerTarget({ containerName, containerPort: container })],
  })
}
