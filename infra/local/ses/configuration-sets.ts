import { type JsonObject, ServiceError } from '../gateway/json-service.ts'
import { badRequest, notFound, optionalObject, requiredText, textList } from './input.ts'
import type { SesStore } from './store.ts'

/** A configuration set: whether it sends, and where the events of its messages go. */
interface ConfigurationSet {
  readonly isSendingEnabled: boolean
  readonly destinations: Readonly<Record<string, EventDestination>>
}

interface EventDestination {
  readonly isEnabled: boolean
  readonly types: readonly string[]
  readonly busArn: string
}

export function createConfigurationSet(store: SesStore, input: JsonObject): JsonObject {
  const name = requiredText(input, 'ConfigurationSetName')
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(name)) throw badRequest(`Invalid configuration set name <${name}>.`)
  if (store.configurationSet(name) !== undefined) {
    throw new ServiceError('AlreadyExistsException', `Configuration set <${name}> already exists.`)
  }
  const sending = optionalObject(input, 'SendingOptions')
  keep(store, name, { isSendingEnabled: sending?.SendingEnabled !== false, destinations: {} })
  return {}
}

export function createEventDestination(store: SesStore, input: JsonObject): JsonObject {
  const { name, destinationName, set } = readTarget(store, input)
  if (set.destinations[destinationName]) {
    throw new ServiceError('AlreadyExistsException', `Event destination <${destinationName}> already exists.`)
  }
  return setDestination(store, name, set, destinationName, input)
}

export function updateEventDestination(store: SesStore, input: JsonObject): JsonObject {
  const { name, destinationName, set } = readTarget(store, input)
  if (!set.destinations[destinationName]) {
    throw notFound(`Event destination <${destinationName}> does not exist.`)
  }
  return setDestination(store, name, set, destinationName, input)
}

/** Throws `NotFoundException` where there is none. */
export function requireConfigurationSet(store: SesStore, name: string): ConfigurationSet {
  const document = store.configurationSet(name)
  if (document === undefined) throw notFound(`Configuration set <${name}> does not exist.`)
  return JSON.parse(document)
}

/** The types of events that a configuration set sends to EventBridge. */
export function publishedTypes({ destinations }: ConfigurationSet): ReadonlySet<string> {
  const enabled = Object.values(destinations).filter(({ isEnabled }) => isEnabled)
  return new Set(enabled.flatMap(({ types }) => types))
}

function readTarget(store: SesStore, input: JsonObject) {
  const name = requiredText(input, 'ConfigurationSetName')
  const destinationName = requiredText(input, 'EventDestinationName')
  return { name, destinationName, set: requireConfigurationSet(store, name) }
}

function setDestination(
  store: SesStore,
  name: string,
  set: ConfigurationSet,
  destinationName: string,
  input: JsonObject,
): JsonObject {
  const given = optionalObject(input, 'EventDestination') ?? {}
  const bus = optionalObject(given, 'EventBridgeDestination')
  if (bus === undefined) throw badRequest('The local SES sends events to EventBridge only.')
  const busArn = requiredText(bus, 'EventBusArn')
  if (!/:event-bus\/default$/.test(busArn)) throw badRequest('Only the default event bus is supported.')
  const types = textList(given, 'MatchingEventTypes')
  if (types.length === 0) throw badRequest('MatchingEventTypes must not be empty.')
  const destination = { isEnabled: given.Enabled === true, types, busArn }
  keep(store, name, { ...set, destinations: { ...set.destinations, [destinationName]: destination } })
  return {}
}

function keep(store: SesStore, name: string, set: ConfigurationSet): void {
  store.setConfigurationSet(name, JSON.stringify(set))
}
