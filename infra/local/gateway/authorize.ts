import type { Access } from '../iam/access.ts'
import { bucketArn, readObject } from '../iam/s3-calls.ts'
import { ServiceError } from './json-service.ts'
import type { Principals } from './principals.ts'
import type { SignedRequest } from './signed-request.ts'

/**
 * Decides about every call before a stand-in sees it: resolves to nothing when it may pass, else to the refusal in
 * AWS's words. The operator may do everything; a role may do what the template's policies allow.
 */
export async function authorize(
  request: SignedRequest,
  principals: Principals,
): Promise<ServiceError | undefined> {
  if (principals.secretFor(request.accessKeyId) === undefined) return unknownKey(request.service)
  const role = principals.roleOf(request.accessKeyId)
  const access = principals.access()
  if (role === undefined || access === undefined) return undefined
  try {
    const text = refusalOf(request, role, access) ?? (await missingKeyRefusal(request, role, access))
    return text === undefined ? undefined : denial(request.service, text)
  } catch (error) {
    if (error instanceof ServiceError) return error
    throw error
  }
}

function refusalOf(request: SignedRequest, role: string, access: Access): string | undefined {
  const calls = access.callsOf(request)
  if (calls === undefined) {
    const { service, operation, method, url } = request
    return access.unknownOperation(role, `${service}:${operation ?? `${method} ${url}`}`)
  }
  for (const call of calls) {
    const text = access.refusal(role, call)
    if (text !== undefined) return text
  }
  return undefined
}

/** Who may not list a bucket does not learn that a key is missing: S3 answers 403, not 404 (GetObject, "Permissions"). */
async function missingKeyRefusal(
  request: SignedRequest,
  role: string,
  access: Access,
): Promise<string | undefined> {
  const object = request.service === 's3' ? readObject(request) : undefined
  if (object === undefined) return undefined
  const text = access.wouldRefuse(role, { action: 's3:ListBucket', resource: bucketArn(object.bucket) })
  return text === undefined || (await access.objectExists(object)) ? undefined : text
}

/** Keys from the surrounding shell or from another start would otherwise act as nobody in particular. */
function unknownKey(service: string): ServiceError {
  const code = service === 's3' ? 'InvalidAccessKeyId' : 'UnrecognizedClientException'
  const status = service === 's3' ? 403 : 400
  return new ServiceError(code, 'The security token included in the request is invalid.', status)
}

/** Each service has a code and a status of its own. */
function denial(service: string, text: string): ServiceError {
  switch (service) {
    case 'dynamodb':
      return new ServiceError('com.amazon.coral.service#AccessDeniedException', text, 400)
    case 'sqs':
      return new ServiceError('com.amazonaws.sqs#AccessDenied', text, 403)
    case 's3':
      return new ServiceError('AccessDenied', text, 403)
    case 'ses':
      return new ServiceError('AccessDeniedException', text, 403)
    default:
      return new ServiceError('AccessDeniedException', text, 400)
  }
}
