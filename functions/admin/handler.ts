import middy from '@middy/core'
import { handle, type LambdaEvent } from 'hono/aws-lambda'
import { adminApi } from '../../shared/admin/api.ts'
import { adminPorts } from './ports.ts'

const app = adminApi(adminPorts())

// As text, a message that is dumped would lose every octet that is no UTF-8.
export const handler = middy<LambdaEvent>().handler(handle(app, { isContentTypeBinary: () => true }))
