import { type JsonObject, ServiceError } from '../gateway/json-service.ts'

/** A refusal of SQS: the error shape's name goes out under the service's namespace, as the AWS SDKs expect it. */
export function sqsError(code: string, message: string, status = 400): ServiceError {
  return new ServiceError(`com.amazonaws.sqs#${code}`, message, status)
}

/** SQS's answer to a parameter that is present but not acceptable. */
export function invalidParameter(name: string, value: string, reason: string): ServiceError {
  return sqsError(
    'InvalidParameterValue',
    `Value ${value} for parameter ${name} is invalid. Reason: ${reason}`,
  )
}

/** SQS's answer to a required parameter that is absent or empty. */
export function missingParameter(name: string): ServiceError {
  return sqsError('MissingParameter', `The request must contain the parameter ${name}.`)
}

/** A required, non-empty string parameter. */
export function requiredText(input: JsonObject, name: string): string {
  const value = optionalText(input, name)
  if (value === undefined || value === '') throw missingParameter(name)
  return value
}

/** A string parameter, undefined where absent. */
export function optionalText(input: JsonObject, name: string): string | undefined {
  const value = input[name]
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'string') throw wrongType(name, 'a string')
  return value
}

/** An integer parameter within its documented range, undefined where absent. */
export function optionalInteger(
  input: JsonObject,
  name: string,
  least: number,
  most: number,
): number | undefined {
  const value = input[name]
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'number' || !Number.isInteger(value)) throw wrongType(name, 'an integer')
  if (value < least || value > most) {
    throw invalidParameter(name, String(value), `Must be between ${least} and ${most}, if provided.`)
  }
  return value
}

/** A list of strings, empty where absent. */
export function textList(input: JsonObject, name: string): readonly string[] {
  const value = input[name] ?? []
  if (!Array.isArray(value)) throw wrongType(name, 'a list')
  return value.map((item: unknown) => {
    if (typeof item !== 'string') throw wrongType(name, 'a list of strings')
    return item
  })
}

/** A map of strings, empty where absent. */
export function textMap(input: JsonObject, name: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(optionalObject(input, name)).map(([key, value]) => {
      if (typeof value !== 'string') throw wrongType(name, 'a map of strings')
      return [key, value]
    }),
  )
}

/** A JSON object parameter, empty where absent. */
export function optionalObject(input: JsonObject, name: string): JsonObject {
  const value = input[name] ?? {}
  if (!isJsonObject(value)) throw wrongType(name, 'a map')
  return value
}

const MAX_BATCH_ENTRIES = 10

/** The entries of a batch request, at most ten, with distinct and well-formed `Id`s. */
export function batchEntries(input: JsonObject): readonly JsonObject[] {
  const entries = input.Entries ?? []
  if (!Array.isArray(entries) || !entries.every(isJsonObject)) throw wrongType('Entries', 'a list of maps')
  if (entries.length === 0) {
    throw sqsError('EmptyBatchRequest', 'There should be at least one entry in the request.')
  }
  if (entries.length > MAX_BATCH_ENTRIES) {
    const counted = `Maximum number of entries per request are 10. You have sent ${entries.length}.`
    throw sqsError('TooManyEntriesInBatchRequest', counted)
  }
  const ids = entries.map((entry) => requiredText(entry, 'Id'))
  if (!ids.every((id) => /^[\w-]{1,80}$/.test(id))) {
    const allowed = 'alphanumeric characters, hyphens, or underscores. It can be at most 80 letters long.'
    throw sqsError('InvalidBatchEntryId', `A batch entry id can only contain ${allowed}`)
  }
  const repeated = ids.find((id, index) => ids.indexOf(id) !== index)
  if (repeated !== undefined) throw sqsError('BatchEntryIdsNotDistinct', `Id ${repeated} repeated.`)
  return entries
}

function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function wrongType(name: string, expected: string): ServiceError {
  return sqsError('SerializationException', `The parameter ${name} must be ${expected}.`)
}
