import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { Template } from 'aws-cdk-lib/assertions'
import { buildApp } from '../../infra/app.ts'
import { variables } from '../../shared/runtime/names.ts'
import { bundles, directory, one, type Resources, template, withContext } from './synthesized.ts'

const kinds = ['nat-instance', 'nat-gateway'] as const
/** The template with that way out, validated. */
const templates = Object.fromEntries(kinds.map((egress) => [egress, synthesized(egress)]))

function synthesized(egress: string): Template {
  const outdir = join(directory, egress)
  const assembly = buildApp({ outdir, bundles, validate: true, context: { egress } }).synth()
  const report = JSON.parse(readFileSync(join(outdir, 'validation-report.json'), 'utf8'))
  assert.deepEqual(report.pluginReports, [])
  return Template.fromJSON(assembly.getStackByName('Postern').template)
}

type Properties = ReturnType<Template['findResources']>[string]

function resourcesOf(from: Template, type: string, prefix = ''): Properties[] {
  return Object.entries(from.findResources(type))
    .filter(([id]) => id.startsWith(prefix))
    .map(([, { Properties }]) => Properties)
}

function countOf(from: Template): Record<string, number> {
  const all = Object.values(from.toJSON().Resources as Resources)
  return Object.fromEntries(
    Object.entries(Object.groupBy(all, ({ Type }) => Type)).map(([type, of = []]) => [type, of.length]),
  )
}

suite('without egress', () => {
  test('there is no sender, no queue of its own, and nothing that costs', () => {
    const { Resources, Outputs } = template.toJSON()
    assert.deepEqual(
      Object.keys(Resources).filter((id) => /^Sender|^WorkersDirect|Egress|Nat/.test(id)),
      [],
    )
    assert.deepEqual(
      Object.keys(Outputs).filter((name) => /Egress|Direct/.test(name)),
      [],
    )
  })

  test('another value of the context is refused by name', () => {
    assert.throws(
      () => withContext('other-egress', { egress: 'ipv6' }),
      /egress must be none, nat-instance or nat-gateway, not ipv6/,
    )
  })
})

for (const kind of kinds) {
  suite(`egress=${kind}`, () => {
    const own = templates[kind] ?? assert.fail()

    test('mail goes out by one address, which the stack leaves behind and tells', () => {
      const [id, address] = one(
        Object.entries(own.findResources('AWS::EC2::EIP')).filter(([name]) =>
          name.startsWith('NetworkEgress'),
        ),
      )
      assert.equal(address.DeletionPolicy, 'Retain')
      assert.deepEqual(own.findOutputs('EgressAddress').EgressAddress?.Value, { Ref: id })
      const users = JSON.stringify([
        ...resourcesOf(own, 'AWS::EC2::NatGateway'),
        ...resourcesOf(own, 'AWS::EC2::EIPAssociation'),
      ])
      assert.equal(users.split(id).length, 2, users)
    })

    test('the sender has no address of its own, and nobody connects to it', () => {
      const { AwsvpcConfiguration } = one(
        resourcesOf(own, 'AWS::ECS::Service', 'Sender'),
      ).NetworkConfiguration
      assert.equal(AwsvpcConfiguration.AssignPublicIp, 'DISABLED')
      assert.match(JSON.stringify(AwsvpcConfiguration.Subnets), /egressSubnet1.*egressSubnet2/)
      const group = one(resourcesOf(own, 'AWS::EC2::SecurityGroup', 'SenderGroup'))
      assert.equal(group.SecurityGroupIngress, undefined)
    })

    test('there is never more than one sender, which paces what each domain gets', () => {
      const { DesiredCount, DeploymentConfiguration } = one(resourcesOf(own, 'AWS::ECS::Service', 'Sender'))
      const { MinimumHealthyPercent, MaximumPercent } = DeploymentConfiguration
      assert.deepEqual([DesiredCount, MinimumHealthyPercent, MaximumPercent], [1, 0, 100])
    })

    test('what AWS offers without a NAT goes past it', () => {
      const services = resourcesOf(own, 'AWS::EC2::VPCEndpoint').map(({ ServiceName }) =>
        JSON.stringify(ServiceName).replace(/.*\.(\w+)".*/, '$1'),
      )
      assert.deepEqual(services.sort(), ['dynamodb', 's3'])
    })

    test('public subnets stay as they are without egress', () => {
      const blocks = (from: Template) =>
        resourcesOf(from, 'AWS::EC2::Subnet', 'NetworkVpcpublic').map(({ CidrBlock }) => CidrBlock)
      assert.deepEqual(blocks(own), blocks(template))
    })

    test('everybody who hints gets to know the queue', () => {
      const holders = resourcesOf(own, 'AWS::Lambda::Function').filter(
        ({ Environment }) => variables.directQueueUrl in Environment.Variables,
      )
      assert.equal(holders.length, 5)
      const senders = resourcesOf(own, 'AWS::IAM::Policy').filter(({ PolicyDocument }) =>
        PolicyDocument.Statement.some(
          ({ Action, Resource }: Properties) =>
            [Action].flat().includes('sqs:SendMessage') &&
            JSON.stringify(Resource).includes('"WorkersDirect'),
        ),
      )
      assert.deepEqual(senders.map(({ Roles }) => Roles[0].Ref.replace(/[0-9A-F]{8}$/, '')).sort(), [
        'ApiAdminRole',
        'ApiWebapiRole',
        'MailListenerTaskTaskRole',
        'SenderTaskTaskRole',
        'WorkersDeliverRole',
        'WorkersSesEventsHandlerRole',
        'WorkersSweepRole',
      ])
    })
  })
}

suite('the sender', () => {
  const own = templates['nat-gateway'] ?? assert.fail()
  const task = one(resourcesOf(own, 'AWS::ECS::TaskDefinition', 'SenderTask'))
  const sender = task.ContainerDefinitions.find(({ Name }: Properties) => Name === 'sender')
  const environment = Object.fromEntries(
    sender.Environment.map(({ Name, Value }: Properties) => [Name, Value]),
  )

  test('has half a processor of arm64, a gigabyte, and a resolver of its own', () => {
    assert.deepEqual([task.Cpu, task.Memory, task.RuntimePlatform.CpuArchitecture], ['512', '1024', 'ARM64'])
    assert.deepEqual(
      task.ContainerDefinitions.map(({ Name }: Properties) => Name),
      ['copy', 'resolver', 'sender'],
    )
    assert.match(environment[variables.dnsServers], /^127\.0\.0\.1:\d+$/)
  })

  test('sees only variables that names.ts names', () => {
    const known = new Set<string>(Object.values(variables))
    assert.deepEqual(
      Object.keys(environment).filter((name) => !known.has(name)),
      [],
    )
  })

  test('attempt of 14 minutes < queue visibility < lease', () => {
    const { VisibilityTimeout } = one(
      resourcesOf(own, 'AWS::SQS::Queue', 'WorkersDirect').filter(({ RedrivePolicy }) => RedrivePolicy),
    )
    const seconds = [14 * 60, VisibilityTimeout, Number(environment[variables.deliverLeaseSeconds])]
    assert.deepEqual(seconds, [840, 870, 900])
  })

  test('a hint that fails five times goes to a queue of its own for 14 days', () => {
    const { RedrivePolicy } = one(
      resourcesOf(own, 'AWS::SQS::Queue', 'WorkersDirect').filter((queue) => queue.RedrivePolicy),
    )
    assert.equal(RedrivePolicy.maxReceiveCount, 5)
    const deadLetters = own.toJSON().Resources[RedrivePolicy.deadLetterTargetArn['Fn::GetAtt'][0]]
    assert.equal(deadLetters.Properties.MessageRetentionPeriod, 14 * 24 * 3600)
  })

  test('is asked for its health in its container, and has longer to stop than its attempts get', () => {
    assert.match(sender.HealthCheck.Command.join(' '), /127\.0\.0\.1:1082\/health/)
    assert.equal(environment[variables.healthPort], '1082')
    assert.deepEqual([sender.StopTimeout, sender.User, sender.ReadonlyRootFilesystem], [120, '1000', true])
  })

  test('may do what deliver may, read hints, and keep what it learns of TLS', () => {
    const grants = (role: string) =>
      resourcesOf(own, 'AWS::IAM::Policy')
        .filter(({ Roles }) => Roles[0].Ref.startsWith(role))
        .flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
        .flatMap(({ Action, Resource, Condition }) =>
          [Action].flat().flatMap((action) => {
            const keys: string[] = Condition?.['ForAllValues:StringLike']['dynamodb:LeadingKeys'] ?? [
              JSON.stringify(Resource),
            ]
            return keys.map((key) => `${action} ${key}`)
          }),
        )
    const common = new Set(grants('WorkersDeliverRole'))
    const more = grants('SenderTaskTaskRole').filter(
      (grant) => !common.has(grant) && !/^(s3|logs|sqs:SendMessage)/.test(grant),
    )
    assert.deepEqual(more.map((grant) => grant.replace(/ \{.*/, '')).sort(), [
      'dynamodb:DeleteItem STS',
      'dynamodb:GetItem STS',
      'dynamodb:GetItem TR#*',
      'dynamodb:Query STS',
      'dynamodb:UpdateItem DT#*',
      'dynamodb:UpdateItem STS',
      'dynamodb:UpdateItem TR#*',
      'sqs:DeleteMessage',
      'sqs:ReceiveMessage',
    ])
  })
})

suite('the NAT instance', () => {
  const own = templates['nat-instance'] ?? assert.fail()

  test('lets in what the VPC sends, and nobody else', () => {
    const { SecurityGroupIngress } = one(resourcesOf(own, 'AWS::EC2::SecurityGroup', 'NetworkVpcNat'))
    assert.deepEqual(
      SecurityGroupIngress.map(({ CidrIp, IpProtocol }: Properties) => [CidrIp, IpProtocol]),
      [[one(resourcesOf(own, 'AWS::EC2::VPC')).CidrBlock, '-1']],
    )
  })

  test('is a small machine with Amazon Linux, which CloudFormation looks up, an encrypted disk and IMDSv2', () => {
    const instance = one(resourcesOf(own, 'AWS::EC2::Instance'))
    assert.deepEqual(
      [instance.InstanceType, instance.SourceDestCheck, instance.MetadataOptions.HttpTokens],
      ['t4g.nano', false, 'required'],
    )
    assert.equal(one<Properties>(instance.BlockDeviceMappings).Ebs.Encrypted, true)
    const parameter = own.toJSON().Parameters[instance.ImageId.Ref]
    assert.equal(parameter.Type, 'AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>')
    assert.match(parameter.Default, /al2023-ami-.*-arm64$/)
  })

  test('is the only difference between the two', () => {
    const { 'AWS::EC2::NatGateway': gateways, ...others } = countOf(templates['nat-gateway'] ?? assert.fail())
    const {
      'AWS::EC2::Instance': instances,
      'AWS::EC2::EIPAssociation': associations,
      'AWS::IAM::InstanceProfile': profiles,
      ...rest
    } = countOf(own)
    assert.deepEqual([gateways, instances, associations, profiles], [1, 1, 1, 1])
    const withoutNat = (counts: Record<string, number>, groups: number, roles: number) => ({
      ...counts,
      'AWS::EC2::SecurityGroup': (counts['AWS::EC2::SecurityGroup'] ?? 0) - groups,
      'AWS::IAM::Role': (counts['AWS::IAM::Role'] ?? 0) - roles,
    })
    assert.deepEqual(withoutNat(rest, 1, 1), withoutNat(others, 0, 0))
  })
})

test('without listeners there is a sender all the same, and no load balancer', () => {
  const own = withContext('sender-only', { listeners: 'none', egress: 'nat-gateway' })
  assert.equal(one(Object.keys(own.findResources('AWS::ECS::Service'))).startsWith('Sender'), true)
  assert.deepEqual(Object.keys(own.findResources('AWS::ElasticLoadBalancingV2::LoadBalancer')), [])
})
