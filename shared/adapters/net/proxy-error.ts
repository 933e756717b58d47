/** A proxy that gives no connection. The message is public: it names no address of ours. */
export class ProxyError extends Error {
  override readonly name = 'ProxyError'

  constructor(reason: string, cause: unknown) {
    super(reason, { cause })
  }
}
