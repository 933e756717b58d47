import { type JsonObject, ServiceError } from '../gateway/json-service.ts'

type Random = (bytes: number) => Uint8Array

/** GetRandomPassword; throws `InvalidParameterException` when its input leaves nothing to choose from. */
export function randomPassword(input: JsonObject, random: Random): string {
  const { PasswordLength: length = 32, ExcludeCharacters: excluded = '' } = input
  if (typeof length !== 'number' || !Number.isInteger(length) || length < 1 || length > 4096) {
    throw invalid('PasswordLength must be an integer between 1 and 4096.')
  }
  const sets = characterSets(input)
    .map((set) => [...set].filter((character) => !String(excluded).includes(character)).join(''))
    .filter((set) => set !== '')
  if (sets.length === 0) throw invalid('Every character is excluded.')
  const everySet = input.RequireEachIncludedType !== false
  if (everySet && length < sets.length) {
    throw invalid('PasswordLength is too short to have a character of each included type.')
  }
  const required = everySet ? sets.map((set) => randomText(set, 1, random)).join('') : ''
  return shuffled(required + randomText(sets.join(''), length - required.length, random), random)
}

/** `length` characters of `alphabet` (at most 256), each equally likely. */
export function randomText(alphabet: string, length: number, random: Random): string {
  const fair = 256 - (256 % alphabet.length)
  let text = ''
  while (text.length < length) {
    for (const byte of random(length - text.length)) {
      if (byte < fair) text += alphabet.charAt(byte % alphabet.length)
    }
  }
  return text
}

function shuffled(text: string, random: Random): string {
  return [...text]
    .map((character) => ({ character, rank: Buffer.from(random(8)).readBigUInt64BE() }))
    .sort((one, other) => (one.rank < other.rank ? -1 : 1))
    .map(({ character }) => character)
    .join('')
}

function characterSets(input: JsonObject): string[] {
  const sets: string[] = []
  if (input.ExcludeLowercase !== true) sets.push('abcdefghijklmnopqrstuvwxyz')
  if (input.ExcludeUppercase !== true) sets.push('ABCDEFGHIJKLMNOPQRSTUVWXYZ')
  if (input.ExcludeNumbers !== true) sets.push('0123456789')
  if (input.ExcludePunctuation !== true) sets.push('!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~')
  if (input.IncludeSpace === true) sets.push(' ')
  return sets
}

function invalid(message: string): ServiceError {
  return new ServiceError('InvalidParameterException', message)
}
