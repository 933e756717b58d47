import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import type { ObjectStore } from './content-store.ts'

/** Objects in one S3 bucket. Loaded only when an object is needed: most messages are not large enough. */
export function s3Objects(bucket: string, pathStyle: boolean): ObjectStore {
  const client = new S3Client({ forcePathStyle: pathStyle })
  return {
    async create(name, bytes) {
      try {
        await client.send(
          new PutObjectCommand({
            Bucket: bucket,
            Key: name,
            Body: bytes,
            ContentLength: bytes.length,
            IfNoneMatch: '*',
          }),
        )
        return true
      } catch (error) {
        if (error instanceof Error && error.name === 'PreconditionFailed') return false
        throw error
      }
    },

    /** An object that an item names is there; S3 says 403 of one that is not, to roles that may not list. */
    async read(name) {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: name }))
      return await Body?.transformToByteArray()
    },

    async remove(name) {
      await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: name }))
    },
  }
}
