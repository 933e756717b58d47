import { SMTPStream } from 'smtp-server/lib/smtp-stream'

/** Reads from the front of what has come: how much it took, and a result once it has all it wants. */
export type Take<Result> = (unread: Buffer) => { readonly taken: number; readonly result?: Result }

interface Reader {
  /** True when it has all it wants. */
  read(unread: Buffer): { readonly taken: number; readonly isDone: boolean }
  abandon(): void
}

const NOTHING = Buffer.alloc(0)

/** A piece of so many octets comes from a client that has more to send than we can read. */
const MUCH = 16_384

/** After the others' turn. */
function goOnSoon(done: () => void): void {
  setImmediate(done)
}

/**
 * A millisecond later: one client is read at up to 64 MB/s, and never takes a whole processor. To a process that
 * always has work the system gives its turn late, and all its clients would wait for that.
 */
function leaveRoom(done: () => void): void {
  setTimeout(done, 1)
}

/**
 * What comes from a client, to be asked for piece by piece; while nobody asks, the client waits. It stands in for the
 * library's parser, which ends lines at a bare LF and takes a turn of the event loop for each line with a dot.
 */
export class SmtpInput extends SMTPStream {
  #unread: Buffer = NOTHING
  #reader: Reader | undefined
  #wantsMore: (() => void) | undefined

  /** Something has come that nobody asked for yet. */
  get hasUnread(): boolean {
    return this.#unread.length > 0
  }

  /** Resolves to the reader's result, or to undefined when the connection has ended. One reader at a time. */
  read<Result>(take: Take<Result>): Promise<Result | undefined> {
    if (this.isClosed) return Promise.resolve(undefined)
    return new Promise((resolve) => {
      this.#reader = {
        read: (unread) => {
          const { taken, result } = take(unread)
          if (result !== undefined) resolve(result)
          return { taken, isDone: result !== undefined }
        },
        abandon: () => resolve(undefined),
      }
      this.#serve()
    })
  }

  /** Nothing will come any more. */
  abandon(): void {
    this.isClosed = true
    this.#unread = NOTHING
    this.#reader?.abandon()
    this.#reader = undefined
    this.#askForMore()
  }

  override _write(piece: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#wantsMore = done
    if (this.isClosed) {
      this.#askForMore()
      return
    }
    this.#unread = this.#unread.length === 0 ? piece : Buffer.concat([this.#unread, piece])
    this.#serve(piece.length >= MUCH ? leaveRoom : goOnSoon)
  }

  #serve(goOn: (done: () => void) => void = goOnSoon): void {
    if (!this.#reader) return
    if (this.#unread.length > 0) {
      const { taken, isDone } = this.#reader.read(this.#unread)
      this.#unread = this.#unread.subarray(taken)
      if (isDone) this.#reader = undefined
    }
    // A socket that has much to read is read many times in a row, and all others would wait.
    if (this.#reader) this.#askForMore(goOn)
    else if (this.#unread.length === 0) this.#askForMore()
  }

  #askForMore(when: (done: () => void) => void = (done) => done()): void {
    const done = this.#wantsMore
    this.#wantsMore = undefined
    if (done) when(done)
  }
}
