import { GetObjectCommand, HeadObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import type { ObjectExchange } from './object-exchange.ts'

/** Objects that clients read and write themselves in one S3 bucket, by URLs that this role has signed. */
export function s3Exchange(bucket: string, pathStyle: boolean): ObjectExchange {
  // The checksum that the SDK adds would be signed into the URL, of a body that is not there yet.
  const client = new S3Client({ forcePathStyle: pathStyle, requestChecksumCalculation: 'WHEN_REQUIRED' })
  return {
    async putUrl(name, seconds) {
      const command = new PutObjectCommand({ Bucket: bucket, Key: name })
      return await getSignedUrl(client, command, { expiresIn: seconds })
    },

    async getUrl(name, contentType, seconds) {
      const command = new GetObjectCommand({
        Bucket: bucket,
        Key: name,
        ResponseContentType: contentType,
        // A browser must not run what a stranger wrote.
        ResponseContentDisposition: 'attachment',
      })
      return await getSignedUrl(client, command, { expiresIn: seconds })
    },

    /** S3 says 403 of an object that is not there, to roles that may not list. */
    async size(name) {
      try {
        const { ContentLength } = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: name }))
        return ContentLength
      } catch (error) {
        if ([403, 404].includes(statusOf(error))) return undefined
        throw error
      }
    },

    async read(name) {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: name }))
      if (!Body) throw new Error(`the object ${name} has no body`)
      return await Body.transformToByteArray()
    },

    async write(name, bytes) {
      await client.send(
        new PutObjectCommand({ Bucket: bucket, Key: name, Body: bytes, ContentLength: bytes.length }),
      )
    },
  }
}

function statusOf(error: unknown): number {
  const metadata = error instanceof Error && '$metadata' in error ? error.$metadata : undefined
  return (metadata as { readonly httpStatusCode?: number } | undefined)?.httpStatusCode ?? 0
}
