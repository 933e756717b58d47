import type { ObjectExchange } from './object-exchange.ts'

/** Loads the client on first use, which costs more time than most calls take. */
export function lazyExchange(bucket: string, pathStyle: boolean): () => Promise<ObjectExchange> {
  let loading: Promise<ObjectExchange> | undefined
  return () => {
    loading ??= import('./s3-exchange.ts').then(({ s3Exchange }) => s3Exchange(bucket, pathStyle))
    return loading
  }
}
