/** What {@link isWebhookPort} demands, as the refusals say it. */
export const WEBHOOK_PORT_RULE = 'must be 80, 443 or at least 1024'

/** Whether webhooks go to the port: below 1024 are services that take an HTTP request for commands, as mail servers do. */
export function isWebhookPort({ port }: URL): boolean {
  // Without a port it is the scheme's own, and both of these are allowed.
  return port === '' || port === '80' || port === '443' || Number(port) >= 1024
}
