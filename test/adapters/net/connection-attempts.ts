import { Socket } from 'node:net'
import type { TestContext } from 'node:test'

/** Lists the addresses that sockets of this process try to connect to, as long as the test runs. */
export function connectionAttempts(t: TestContext): readonly string[] {
  const attempts: string[] = []
  const connect = Socket.prototype.connect
  t.mock.method(Socket.prototype, 'connect', function (this: Socket, ...args: Parameters<typeof connect>) {
    this.on('connectionAttempt', (ipAddress) => attempts.push(ipAddress))
    return connect.apply(this, args)
  })
  return attempts
}
