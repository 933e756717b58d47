import type { IncomingMessage } from 'node:http'
import type { JsonObject } from './json-service.ts'

/** A call as the gateway sees it, before it is let through. */
export interface SignedRequest {
  readonly accessKeyId: string
  /** The service of the credential scope: `dynamodb`, `sqs`, `s3`, `secretsmanager`, `ses`. */
  readonly service: string
  /** AWS's operation name; undefined for S3, whose operation lies in method, path and query. */
  readonly operation: string | undefined
  readonly method: string
  /** Path and query, still percent-encoded. */
  readonly url: string
  /** The decoded body; undefined for S3, whose bodies are streamed. */
  readonly input: JsonObject | undefined
  /** The header `x-amz-copy-source` of an S3 request. */
  readonly copySource?: string | undefined
}

/** Who calls which service, from the SigV4 credential scope of the Authorization header or of a presigned URL. */
export function readCredentialScope(
  request: IncomingMessage,
): { accessKeyId: string; service: string } | undefined {
  const header = request.headers.authorization ?? ''
  const query = new URLSearchParams((request.url ?? '').split('?')[1] ?? '')
  const text = /Credential=([^,\s]+)/.exec(header)?.[1] ?? query.get('X-Amz-Credential') ?? ''
  const scope = /^(?<accessKeyId>[^/]+)\/\d{8}\/[^/]+\/(?<service>[^/]+)\/aws4_request$/.exec(text)
  const { accessKeyId, service } = scope?.groups ?? {}
  return accessKeyId && service ? { accessKeyId, service } : undefined
}
