import type { IncomingHttpHeaders } from 'node:http'
import { type JsonObject, type JsonService, ServiceError } from './json-service.ts'

/** An answer of an AWS JSON protocol, decoded. */
export interface JsonAnswer {
  readonly status: number
  readonly body: JsonObject
}

/** Runs an operation of the called service; resolves to its refusals too. */
export type Ask = (operation: string, input: JsonObject) => Promise<JsonAnswer>

/** Asks a service as the caller of `headers`, also for what that caller did not ask. */
export function askBackend(
  backend:
    | { readonly kind: 'json'; readonly service: JsonService }
    | { readonly kind: 'proxy'; readonly origin: string },
  headers: IncomingHttpHeaders,
): Ask {
  if (backend.kind === 'json') return (operation, input) => askService(backend.service, operation, input)
  return async (operation, input) => {
    const answer = await fetch(backend.origin, {
      method: 'POST',
      // The signature no longer fits what is sent; the engines look at its scope only.
      headers: {
        authorization: headers.authorization ?? '',
        'content-type': headers['content-type'] ?? 'application/x-amz-json-1.0',
        'x-amz-date': String(headers['x-amz-date']),
        'x-amz-target': String(headers['x-amz-target']).replace(/[^.]*$/, operation),
      },
      body: JSON.stringify(input),
    })
    return { status: answer.status, body: (await answer.json()) as JsonObject }
  }
}

async function askService(service: JsonService, operation: string, input: JsonObject): Promise<JsonAnswer> {
  try {
    return { status: 200, body: await service.call(operation, input) }
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error
    return { status: error.status, body: { __type: error.code, message: error.message } }
  }
}
