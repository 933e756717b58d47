import assert from 'node:assert/strict'
import type { EditableTemplate } from '../../infra/local/boot.ts'
import { nameOf } from '../../infra/local/template/resource.ts'
import { integrationRun } from './integration-run.ts'

/** One action that a role may do, on whatever the template's policies name for it. */
export interface RoleAction {
  /** The role's logical id without the CDK's suffix. */
  readonly role: string
  readonly action: string
}

/** Grants that no run here can exercise, by name of the role, with the reason. */
export const unevaluated: Readonly<Record<string, string>> = {
  NetworkVpcallIAMRole:
    'VPC Flow Logs assumes it to write by itself, and no VPC runs here; these three actions are what the CDK gives ' +
    'it (Amazon VPC User Guide, "IAM role for publishing flow logs to CloudWatch Logs")',
}

/**
 * Runs Postern without one permission. `noticed`: it failed, and the error, which has the log of that step, says in
 * AWS's words that this action was refused.
 */
export async function runWithout(permission: RoleAction): Promise<{
  readonly outcome: 'noticed' | 'failed without naming it' | 'passed'
  readonly text: string
}> {
  try {
    await integrationRun({ editTemplate: withoutAction(permission) })
    return { outcome: 'passed', text: '' }
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    // SQS writes actions in lower case.
    const words = `is not authorized to perform: ${permission.action} on resource: `.toLowerCase()
    return { outcome: text.toLowerCase().includes(words) ? 'noticed' : 'failed without naming it', text }
  }
}

/** Takes an action out of every policy of a role; fails when there was none, so that no test removes nothing. */
function withoutAction({ role, action }: RoleAction): (template: EditableTemplate) => void {
  return ({ Resources }) => {
    const statements = Object.values(Resources).flatMap(({ Type, Properties }) =>
      Type === 'AWS::IAM::Policy' && isOf(role, Properties?.Roles) ? statementsOf(Properties) : [],
    )
    const granting = statements.filter((statement) => [statement.Action].flat().includes(action))
    assert.notEqual(granting.length, 0, `the template does not let ${role} do ${action}`)
    for (const statement of granting) {
      const others = [statement.Action].flat().filter((each) => each !== action)
      // A statement must name an action; this one stands for none.
      statement.Action = others.length > 0 ? others : ['none:Nothing']
    }
  }
}

interface EditableStatement {
  Action: string | string[]
}

function statementsOf(properties: Record<string, unknown> | undefined): readonly EditableStatement[] {
  const { PolicyDocument } = properties as { PolicyDocument: { Statement: EditableStatement[] } }
  return PolicyDocument.Statement
}

function isOf(role: string, roles: unknown): boolean {
  return (roles as { Ref: string }[]).some(({ Ref }) => nameOf(Ref) === role)
}
