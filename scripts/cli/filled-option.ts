import { InvalidArgumentError, Option } from 'commander'

/**
 * An option that narrows what is meant. To the API an empty text narrows nothing: a variable of a shell that happens
 * to be empty must not mean everything.
 */
export function filledOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser((text) => {
    if (text.trim() !== '') return text
    throw new InvalidArgumentError('It is empty, which would be everything.')
  })
}
