/** The installation's certificate as it is kept. */
export interface StoredCertificate {
  /** PEM. */
  readonly certificate: string
  readonly sealedKey: Uint8Array
}

/** Port: the one certificate that all listeners of an installation show. */
export interface CertificateStore {
  read(): Promise<StoredCertificate | undefined>
  /** Puts it in the place of `before`, or of nothing; false, and nothing changed, when something else is there. */
  replace(before: StoredCertificate | undefined, next: StoredCertificate): Promise<boolean>
}
