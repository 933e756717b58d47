import type { JsonObject } from '../gateway/json-service.ts'

/** One resource of the template; `properties` still hold their intrinsic functions. */
export interface Resource {
  readonly logicalId: string
  readonly type: string
  readonly properties: JsonObject
}

/** Where the template is deployed to: what its pseudo parameters stand for. */
export interface Deployment {
  readonly stack: string
  readonly region: string
  readonly accountId: string
}

/** A logical id without the eight digits that the CDK appends: the path of construct ids. */
export function nameOf(logicalId: string): string {
  return logicalId.replace(/[0-9A-F]{8}$/, '')
}
