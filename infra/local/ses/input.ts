import { type JsonObject, ServiceError } from '../gateway/json-service.ts'

/** SES's answer to a request that it cannot carry out as it stands. */
export function badRequest(message: string): ServiceError {
  return new ServiceError('BadRequestException', message)
}

/** SES's answer where something that is named does not exist. */
export function notFound(message: string): ServiceError {
  return new ServiceError('NotFoundException', message, 404)
}

/** A required, non-empty text. */
export function requiredText(input: JsonObject, name: string): string {
  const value = optionalText(input, name)
  if (value === undefined || value === '') throw badRequest(`${name} must not be null or empty.`)
  return value
}

/** A text; undefined where absent. */
export function optionalText(input: JsonObject, name: string): string | undefined {
  const value = input[name]
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'string') throw badRequest(`${name} must be a string.`)
  return value
}

/** A list of texts, empty where absent. */
export function textList(input: JsonObject, name: string): readonly string[] {
  const value = input[name] ?? []
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value
  throw badRequest(`${name} must be a list of strings.`)
}

/** A structure; undefined where absent. */
export function optionalObject(input: JsonObject, name: string): JsonObject | undefined {
  const value = input[name]
  if (value === undefined || value === null) return undefined
  if (!isJsonObject(value)) throw badRequest(`${name} must be a structure.`)
  return value
}

/** A list of structures, empty where absent. */
export function objectList(input: JsonObject, name: string): readonly JsonObject[] {
  const value = input[name] ?? []
  if (Array.isArray(value) && value.every(isJsonObject)) return value
  throw badRequest(`${name} must be a list of structures.`)
}

function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
