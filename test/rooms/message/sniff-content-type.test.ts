import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sniffContentType } from '../../../shared/message/sniff-content-type.ts'

const files = [
  { start: '%PDF-1.7\n', type: 'application/pdf' },
  { start: '\x89PNG\r\n\x1a\n\0', type: 'image/png' },
  { start: 'GIF89a\0', type: 'image/gif' },
  { start: '\xff\xd8\xff\xe0', type: 'image/jpeg' },
  { start: 'RIFF\x01\n\x03\x04WEBPVP8 ', type: 'image/webp' },
  { start: 'PK\x03\x04', type: 'application/zip' },
  { start: '\x1f\x8b\x08\0', type: 'application/gzip' },
  { start: ' \n<!DOCTYPE HTML>', type: 'text/html; charset=utf-8' },
  { start: '<p >', type: 'text/html; charset=utf-8' },
  { start: '<!-- x', type: 'text/html; charset=utf-8' },
  { start: '<pre>', type: 'text/plain; charset=utf-8' },
  { start: '<?xml version="1.0"?>', type: 'text/xml; charset=utf-8' },
  { start: 'hello\tworld\x1b[0m\n', type: 'text/plain; charset=utf-8' },
  { start: '', type: 'text/plain; charset=utf-8' },
  { start: 'caf\xe9', type: 'text/plain' },
  { start: '\xff\xfea\0', type: 'text/plain' },
  { start: 'a\0b', type: 'application/octet-stream' },
  { start: '\x01\x02', type: 'application/octet-stream' },
]
for (const { start, type } of files) {
  test(`takes a file that begins with ${JSON.stringify(start)} for ${type} (WHATWG MIME Sniffing §7)`, () => {
    assert.equal(sniffContentType(Buffer.from(start, 'latin1')), type)
  })
}
