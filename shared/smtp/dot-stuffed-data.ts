/** What one piece of data held. */
interface DataRead {
  /** The content in it, in the piece's own memory. */
  readonly content: Buffer
  /** How many octets were read; what follows the end is the next command. */
  readonly taken: number
  readonly isDone: boolean
}

/** Where in a line we are. */
const LINE_START = 0
const IN_LINE = 1
const AFTER_CR = 2
const AFTER_DOT = 3
const AFTER_DOT_CR = 4
const END = 5
const STATE = 7

/** The octet belongs to the content. */
const KEEP = 8
/** The octet is, or the one before it was, a CR or LF that stands alone. */
const BARE = 16

/** For each state: what any octet does, a dot, a CR, a LF. */
const STEPS = Uint8Array.from(
  [
    [IN_LINE | KEEP, AFTER_DOT, AFTER_CR | KEEP, IN_LINE | BARE],
    [IN_LINE | KEEP, IN_LINE | KEEP, AFTER_CR | KEEP, IN_LINE | BARE],
    [IN_LINE | BARE, IN_LINE | BARE, AFTER_CR | BARE, LINE_START | KEEP],
    [IN_LINE | KEEP, IN_LINE | KEEP, AFTER_DOT_CR, IN_LINE | BARE],
    [IN_LINE | BARE, IN_LINE | BARE, AFTER_CR | BARE, END],
  ].flat(),
)

const KINDS = new Uint8Array(256)
KINDS[0x2e] = 1
KINDS[0x0d] = 2
KINDS[0x0a] = 3

/**
 * Reads what follows DATA (RFC 5321 §4.1.1.4): takes the transparency dots away (§4.5.2), and ends at CRLF.CRLF and
 * nowhere else, whatever stands there of bare CR or LF: who takes those for line ends finds commands in the content
 * (SMTP smuggling). The table is walked once for each octet, so that no content costs more than another.
 */
export class DotStuffedData {
  #state = LINE_START
  #hasBareLineEnd = false

  /** A CR or LF stood alone (RFC 5321 §2.3.8); the content is not to be used then. */
  get hasBareLineEnd(): boolean {
    return this.#hasBareLineEnd
  }

  /** Reads the next piece, in place: its memory is overwritten as far as it was taken. */
  read(piece: Buffer): DataRead {
    let state = this.#state
    let bare = 0
    let kept = 0
    let at = 0
    while (at < piece.length && state !== END) {
      const octet = piece[at++] as number
      const step = STEPS[state * 4 + (KINDS[octet] as number)] as number
      if (step & KEEP) piece[kept++] = octet
      bare |= step & BARE
      state = step & STATE
    }
    this.#state = state
    if (bare !== 0) this.#hasBareLineEnd = true
    return { content: piece.subarray(0, kept), taken: at, isDone: state === END }
  }
}
