import { once } from 'node:events'
import { connect } from 'node:net'
import { eventually } from '../eventually.ts'

/** Waits until connections are accepted there; fails with `what` when that takes longer than ten seconds. */
export async function untilListening(what: string, ipAddress: string, port: number): Promise<void> {
  await eventually(`${what} listens`, async () => {
    const socket = connect(port, ipAddress)
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => false,
    )
    socket.destroy()
    return isOpen
  })
}
