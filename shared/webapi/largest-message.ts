/** The largest message that is taken, in octets as it goes out (mox's default). */
export const LARGEST_MESSAGE = 104_857_600
