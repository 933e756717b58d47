import type { Access } from '../iam/access.ts'

/** Keys as the AWS SDK takes them. */
export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

/** Who may call the gateway: the operator and every role of the template. */
export interface Principals {
  readonly root: Credentials
  credentialsOf(roleLogicalId: string): Credentials
  /** The secret of an access key; undefined when nobody has the key. */
  secretFor(accessKeyId: string): string | undefined
  /** The logical id of the role that has an access key; undefined for the operator's and for unknown keys. */
  roleOf(accessKeyId: string): string | undefined
  /** From now on roles may do only what `access` allows. Until then, every key may do everything. */
  restrict(access: Access): void
  access(): Access | undefined
}

/**
 * Gives each role an access key of its own, so that the gateway sees who calls. The secrets are no secrets: only
 * presigned URLs are checked against them, and everything listens on loopback.
 */
export function givePrincipals(roleLogicalIds: readonly string[]): Principals {
  const root = { accessKeyId: 'AKIALOCALROOT', secretAccessKey: secretOf('AKIALOCALROOT') }
  const keys = new Map(roleLogicalIds.map((role) => [role, `ASIALOCAL${role.toUpperCase()}`]))
  const roles = new Map([...keys].map(([role, accessKeyId]) => [accessKeyId, role]))
  let access: Access | undefined
  const known = new Set([root.accessKeyId, ...keys.values()])
  if (known.size <= keys.size)
    throw new Error('two roles of the template differ only in upper and lower case')
  return {
    root,
    credentialsOf: (role) => {
      const accessKeyId = keys.get(role)
      if (!accessKeyId) throw new Error(`${role} is no role of the template`)
      return { accessKeyId, secretAccessKey: secretOf(accessKeyId), sessionToken: 'local' }
    },
    secretFor: (accessKeyId) => (known.has(accessKeyId) ? secretOf(accessKeyId) : undefined),
    roleOf: (accessKeyId) => roles.get(accessKeyId),
    restrict: (given) => {
      access = given
    },
    access: () => access,
  }
}

function secretOf(accessKeyId: string): string {
  return `secret-of-${accessKeyId}`
}
