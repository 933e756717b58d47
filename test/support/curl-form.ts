/** One `-F`: a field, or with a file name a file. */
export interface FormPart {
  readonly name: string
  readonly filename?: string
  readonly type?: string
  /** What `;headers="…"` adds. */
  readonly headers?: readonly string[]
  readonly data: string | Uint8Array
}

const BOUNDARY = '------------------------d74496d66958873e'

/** The body that `curl -F … -F …` sends, octet for octet (curl 7.88). Nothing in the parts is escaped. */
export function curlForm(parts: readonly FormPart[]): Buffer {
  const chunks = parts.flatMap(({ name, filename, type, headers = [], data }) => {
    const disposition = `Content-Disposition: form-data; name="${name}"`
    const fields = [
      filename === undefined ? disposition : `${disposition}; filename="${filename}"`,
      ...(type === undefined ? [] : [`Content-Type: ${type}`]),
      ...headers,
    ]
    return [
      Buffer.from(`--${BOUNDARY}\r\n${fields.join('\r\n')}\r\n\r\n`),
      Buffer.from(data),
      Buffer.from('\r\n'),
    ]
  })
  return Buffer.concat([...chunks, Buffer.from(`--${BOUNDARY}--\r\n`)])
}

/** The header fields that go with {@link curlForm}. */
export const curlFormHeaders = { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` } as const
