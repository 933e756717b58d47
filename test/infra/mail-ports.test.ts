import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { variables } from '../../shared/runtime/names.ts'
import { containers, listener, one, type Resources, resources, template, withContext } from './synthesized.ts'

suite('mail ports', () => {
  const balancer = 'AWS::ElasticLoadBalancingV2'

  test('25, 587 and 465 lead to the container as they are, from anywhere in IPv4', () => {
    const targets = template.findResources(`${balancer}::TargetGroup`)
    const listeners = resources(`${balancer}::Listener`).map(({ Port, Protocol, DefaultActions }) => {
      const { Properties } =
        targets[one(DefaultActions as { TargetGroupArn: { Ref: string } }[]).TargetGroupArn.Ref] ?? {}
      return [Port, Protocol, Properties.Port, Properties.TargetType]
    })
    assert.deepEqual(listeners.sort(), [
      [25, 'TCP', 1025, 'ip'],
      [465, 'TCP', 1465, 'ip'],
      [587, 'TCP', 1587, 'ip'],
    ])
    const open = resources('AWS::EC2::SecurityGroup').flatMap(
      ({ SecurityGroupIngress = [] }) => SecurityGroupIngress,
    )
    assert.deepEqual(
      open.map(({ CidrIp, FromPort, ToPort }: Record<string, unknown>) => [CidrIp, FromPort, ToPort]),
      [25, 587, 465].map((port) => ['0.0.0.0/0', port, port]),
    )
  })

  test('the listener sees the client’s own address', () => {
    for (const { TargetGroupAttributes } of resources(`${balancer}::TargetGroup`)) {
      assert.deepEqual(
        TargetGroupAttributes.filter(({ Key }: { Key: string }) => Key === 'preserve_client_ip.enabled'),
        [{ Key: 'preserve_client_ip.enabled', Value: 'true' }],
      )
    }
  })

  test('only the load balancer reaches the tasks, there and at the health port', () => {
    const ingress = resources('AWS::EC2::SecurityGroupIngress')
    assert.deepEqual(ingress.map(({ FromPort, ToPort }) => [FromPort, ToPort]).sort(), [
      [1025, 1025],
      [1081, 1081],
      [1465, 1465],
      [1587, 1587],
    ])
    assert.equal(
      new Set(ingress.map(({ SourceSecurityGroupId }) => JSON.stringify(SourceSecurityGroupId))).size,
      1,
    )
  })

  test('each zone has a fixed address, which the stack leaves behind, and reaches tasks in the other', () => {
    const addresses = template.findResources('AWS::EC2::EIP')
    assert.deepEqual(
      Object.values(addresses).map(({ DeletionPolicy }) => DeletionPolicy),
      ['Retain', 'Retain'],
    )
    const { SubnetMappings, LoadBalancerAttributes } = one(resources(`${balancer}::LoadBalancer`))
    assert.deepEqual(
      SubnetMappings.map(({ AllocationId }: { AllocationId: unknown }) => AllocationId),
      Object.keys(addresses).map((name) => ({ 'Fn::GetAtt': [name, 'AllocationId'] })),
    )
    assert.ok(
      LoadBalancerAttributes.some(
        ({ Key, Value }: Record<string, string>) =>
          Key === 'load_balancing.cross_zone.enabled' && Value === 'true',
      ),
    )
  })

  test('a task that stops has more time than the load balancer waits for its sessions', () => {
    for (const { TargetGroupAttributes } of resources(`${balancer}::TargetGroup`)) {
      const delay = TargetGroupAttributes.find(
        ({ Key }: { Key: string }) => Key === 'deregistration_delay.timeout_seconds',
      )
      assert.ok(Number(delay.Value) < listener().StopTimeout)
    }
  })

  test('the listener asks a resolver in its own task, and starts when that answers', () => {
    const resolver = one(containers(template).filter(({ Name }) => Name === 'resolver'))
    const { Environment, DependsOn } = listener()
    const servers = Environment.find(({ Name }: { Name: string }) => Name === variables.dnsServers)
    assert.match(servers.Value, /^127\.0\.0\.1:\d+$/)
    assert.ok(resolver.Command.join(' ').includes(servers.Value.replace(':', '@')))
    assert.ok(
      DependsOn.some(
        ({ ContainerName, Condition }: Record<string, string>) =>
          ContainerName === 'resolver' && Condition === 'HEALTHY',
      ),
    )
    assert.deepEqual([resolver.Essential, resolver.RestartPolicy.Enabled], [false, true])
  })

  test('context listeners=none leaves all of it out', () => {
    const { Resources } = withContext('no-listeners', { listeners: 'none' }).toJSON()
    assert.deepEqual(
      Object.values(Resources as Resources)
        .map(({ Type }) => Type)
        .filter((type) => /^AWS::(EC2|ECS|ElasticLoadBalancingV2)::/.test(type)),
      [],
    )
  })

  test('another value of context listeners is refused by name', () => {
    assert.throws(() => withContext('some-listeners', { listeners: 'some' }), /listeners must be all or none/)
  })
})
