import { z } from 'zod'
import type { NamedTemplate } from '../template/template.ts'
import { actionPattern, arnPattern, wildcardPattern } from './pattern.ts'

/** Whether a service may invoke a function for a resource, such as API Gateway for a route. */
export type MayInvoke = (functionLogicalId: string, service: string, sourceArn: string) => boolean

/** Reads the template's `AWS::Lambda::Permission`s, which are the functions' resource policies. */
export function readInvokePermissions(template: NamedTemplate): MayInvoke {
  const { identities, deployment } = template
  const permissions = template.ofType('AWS::Lambda::Permission').map((permission) => {
    const properties = template.read(permission, permissionSchema)
    return {
      functionLogicalId: identities.logicalIdOf(properties.FunctionName, permission.logicalId),
      action: actionPattern(properties.Action),
      service: properties.Principal,
      isForAccount: [undefined, deployment.accountId].includes(properties.SourceAccount),
      source: properties.SourceArn === undefined ? wildcardPattern('*') : arnPattern(properties.SourceArn),
    }
  })
  return (functionLogicalId, service, sourceArn) =>
    permissions.some(
      (permission) =>
        permission.functionLogicalId === functionLogicalId &&
        permission.action.matches('lambda:InvokeFunction') &&
        permission.service === service &&
        permission.isForAccount &&
        permission.source.matches(sourceArn),
    )
}

const permissionSchema = z.object({
  Action: z.string(),
  EventSourceToken: z.undefined('not supported locally').optional(),
  FunctionName: z.string(),
  FunctionUrlAuthType: z.undefined('not supported locally').optional(),
  Principal: z.string(),
  PrincipalOrgID: z.undefined('not supported locally').optional(),
  SourceAccount: z.string().optional(),
  SourceArn: z.string().optional(),
})
