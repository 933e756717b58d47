/** Objects that clients read and write themselves, by URLs that are good for so many seconds. */
export interface ObjectExchange {
  putUrl(name: string, seconds: number): Promise<string>
  getUrl(name: string, contentType: string, seconds: number): Promise<string>
  /** Octets; undefined when there is no such object. */
  size(name: string): Promise<number | undefined>
  read(name: string): Promise<Uint8Array>
  write(name: string, bytes: Uint8Array): Promise<void>
}
