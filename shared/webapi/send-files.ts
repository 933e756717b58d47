import type { AttachedFile } from '../message/compose-content.ts'
import { LARGEST_MESSAGE } from '../queue/submission-limits.ts'
import { ApiError } from './api-error.ts'
import type { CallContext } from './call-context.ts'
import type { SendFile, SendFiles } from './send-request.ts'

/** Files whose data is at hand, by the place they take in the message. */
export interface LoadedFiles {
  readonly alternativeFiles: readonly AttachedFile[]
  readonly inlineFiles: readonly AttachedFile[]
  readonly attachedFiles: readonly AttachedFile[]
}

/** Reads the uploads among the files; refuses those that `send` may not use, and what is too large, unread. */
export async function loadFiles(call: CallContext, files: SendFiles, send: string): Promise<LoadedFiles> {
  const all = allFiles(files)
  const sizes = await Promise.all(all.map((file) => checkedSize(call, file, send)))
  // Base64 makes four octets of three.
  const octets = Math.ceil((sizes.reduce((sum, size) => sum + size, 0) * 4) / 3)
  if (octets > LARGEST_MESSAGE) {
    throw new ApiError(
      'messageTooLarge',
      `the files alone would have ${octets} octets, of at most ${LARGEST_MESSAGE}`,
    )
  }
  return {
    alternativeFiles: await load(call, files.alternativeFiles),
    inlineFiles: await load(call, files.inlineFiles),
    attachedFiles: await load(call, files.attachedFiles),
  }
}

/** Gives the uploads to a Send, so that no other one can use them. */
export async function useUploads(
  { ports, login }: CallContext,
  files: SendFiles,
  send: string,
): Promise<void> {
  for (const { field, source } of allFiles(files)) {
    if (source.kind === 'upload' && !(await ports.uploads.use(login.name, source.id, send))) throw used(field)
  }
}

function allFiles({ alternativeFiles, inlineFiles, attachedFiles }: SendFiles): readonly SendFile[] {
  return [...alternativeFiles, ...inlineFiles, ...attachedFiles]
}

async function checkedSize(
  { ports, login }: CallContext,
  { field, source }: SendFile,
  send: string,
): Promise<number> {
  if (source.kind === 'data') return source.data.length
  const upload = await ports.uploads.find(login.name, source.id)
  if (!upload) throw new ApiError('user', `${field}.UploadID: the account has no such upload`)
  if (upload.usedBy !== undefined && upload.usedBy !== send) throw used(field)
  if (upload.expiresAt <= ports.clock.now()) throw new ApiError('user', `${field}.UploadID: has expired`)
  const size = await ports.uploads.size(login.name, source.id)
  if (size === undefined) throw new ApiError('user', `${field}.UploadID: no file was put there`)
  return size
}

function used(field: string): ApiError {
  return new ApiError('user', `${field}.UploadID: was used by another Send`)
}

/** One after the other: they are large. */
async function load({ ports, login }: CallContext, files: readonly SendFile[]): Promise<AttachedFile[]> {
  const loaded: AttachedFile[] = []
  for (const { name, contentType, contentId, source } of files) {
    const data = source.kind === 'data' ? source.data : await ports.uploads.read(login.name, source.id)
    loaded.push({ name, contentType, contentId, data })
  }
  return loaded
}
