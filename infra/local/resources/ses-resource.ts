import {
  AlreadyExistsException,
  CreateConfigurationSetCommand,
  CreateConfigurationSetEventDestinationCommand,
  type EventDestinationDefinition,
  type EventType,
  type SESv2Client,
  UpdateConfigurationSetEventDestinationCommand,
} from '@aws-sdk/client-sesv2'
import { z } from 'zod'
import { physicalName } from '../template/identities.ts'
import type { Resource } from '../template/resource.ts'
import type { NamedTemplate } from '../template/template.ts'

/** Creates the template's configuration sets, and where the events of each go. */
export async function createConfigurationSets(template: NamedTemplate, client: SESv2Client): Promise<void> {
  const sets = template.ofType('AWS::SES::ConfigurationSet')
  await Promise.all(sets.map((set) => createConfigurationSet(set, template, client)))
  const destinations = template.ofType('AWS::SES::ConfigurationSetEventDestination')
  await Promise.all(destinations.map((destination) => createDestination(destination, template, client)))
}

const setSchema = z.object({
  SendingOptions: z.object({ SendingEnabled: z.boolean() }).optional(),
})

async function createConfigurationSet(
  resource: Resource,
  template: NamedTemplate,
  client: SESv2Client,
): Promise<void> {
  const ConfigurationSetName = template.identities.reference(resource.logicalId)
  const { SendingOptions } = template.read(resource, setSchema)
  await orThere(client.send(new CreateConfigurationSetCommand({ ConfigurationSetName, SendingOptions })))
}

const destinationSchema = z.object({
  ConfigurationSetName: z.string(),
  EventDestination: z.object({
    Name: z.string().optional(),
    Enabled: z.boolean(),
    // CloudFormation writes them as API v1 does.
    MatchingEventTypes: z.array(z.string()),
    EventBridgeDestination: z.object({ EventBusArn: z.string() }),
  }),
})

async function createDestination(
  resource: Resource,
  template: NamedTemplate,
  client: SESv2Client,
): Promise<void> {
  const { ConfigurationSetName, EventDestination } = template.read(resource, destinationSchema)
  const { Name = physicalName(resource, template.deployment.stack), MatchingEventTypes } = EventDestination
  const definition: EventDestinationDefinition = {
    Enabled: EventDestination.Enabled,
    MatchingEventTypes: MatchingEventTypes.map(eventType),
    EventBridgeDestination: EventDestination.EventBridgeDestination,
  }
  const input = { ConfigurationSetName, EventDestinationName: Name, EventDestination: definition }
  const isNew = await orThere(client.send(new CreateConfigurationSetEventDestinationCommand(input)))
  // The template may have changed since it was made.
  if (!isNew) await client.send(new UpdateConfigurationSetEventDestinationCommand(input))
}

/** `deliveryDelay` and `DELIVERY_DELAY` are the same. */
function eventType(name: string): EventType {
  return name.replace(/(?<=[a-z])[A-Z]/g, '_$&').toUpperCase() as EventType
}

/** False where it was there already. */
async function orThere(creation: Promise<unknown>): Promise<boolean> {
  try {
    await creation
    return true
  } catch (error) {
    if (error instanceof AlreadyExistsException) return false
    throw error
  }
}
