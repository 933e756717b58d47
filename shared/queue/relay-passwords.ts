/** Port: the passwords that we log in with at relays. */
export interface RelayPasswords {
  /** By the `secretName` of the login, which is the transport's name; undefined when none is stored. */
  read(transportName: string): Promise<string | undefined>
}
