/** JSON as mox's webhooks carry it: `<`, `>`, `&` and the two Unicode line ends escaped, so that it is safe in HTML. */
export function webhookJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
