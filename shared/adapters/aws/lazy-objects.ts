import type { ObjectStore } from './content-store.ts'

/** Loads the S3 client on first use: it costs more time than all else, and few messages are large enough. */
export function lazyObjects(bucket: string, pathStyle: boolean): () => Promise<ObjectStore> {
  let loading: Promise<ObjectStore> | undefined
  return () => {
    loading ??= import('./s3-objects.ts').then(({ s3Objects }) => s3Objects(bucket, pathStyle))
    return loading
  }
}
