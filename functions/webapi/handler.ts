import middy from '@middy/core'
import { handle, type LambdaEvent } from 'hono/aws-lambda'
import { webapi } from '../../shared/webapi/api.ts'
import { webapiPorts } from './ports.ts'

const app = webapi(webapiPorts())

// As text, an answer would lose every octet that is no UTF-8, and messages have such.
export const handler = middy<LambdaEvent>().handler(handle(app, { isContentTypeBinary: () => true }))
