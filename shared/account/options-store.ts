import type { Options } from './options.ts'

/** Port: where the options are kept. */
export interface OptionsStore {
  /** The current options, at most five seconds old. */
  read(): Promise<Options>
  /** The options as last written: an operator must see at once what he has changed. */
  readNewest(): Promise<Options>
  /**
   * Replaces the options by what `edit` makes of the newest ones; runs it again when somebody else was faster.
   * Whatever `edit` throws reaches the caller and changes nothing.
   */
  change(edit: (options: Options) => Options): Promise<Options>
}
