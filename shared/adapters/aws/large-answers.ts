import type { Random } from '../../base/random.ts'
import type { LargeAnswers } from '../../content/large-answer.ts'
import type { ObjectExchange } from './object-exchange.ts'

const LINK_LASTS_SECONDS = 900

/** Large answers as objects in S3. */
export function s3LargeAnswers(ports: {
  readonly exchange: () => Promise<ObjectExchange>
  readonly random: Random
}): LargeAnswers {
  const linkTo: LargeAnswers['linkTo'] = async (name, contentType) =>
    await (await ports.exchange()).getUrl(name, contentType, LINK_LASTS_SECONDS)
  return {
    linkTo,

    async keep(bytes, contentType) {
      const exchange = await ports.exchange()
      // Uploads have their account in the name, and no account begins with a dash; the bucket forgets both alike.
      const name = `upload/-answers/${Buffer.from(ports.random.bytes(18)).toString('base64url')}`
      await exchange.write(name, bytes)
      return await exchange.getUrl(name, contentType, LINK_LASTS_SECONDS)
    },
  }
}
