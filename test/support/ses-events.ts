/** An event of SES as EventBridge hands it on, about a message with these tags; `told` is what the type has beside. */
export function sesEventText(
  type: string,
  tags: Readonly<Record<string, string>>,
  told: object = {},
  id = '7c1b2a4e-0000-4000-8000-000000000001',
): string {
  return JSON.stringify({
    version: '0',
    id,
    'detail-type': DETAIL_TYPES[type] ?? type,
    source: 'aws.ses',
    account: '123456789012',
    time: '2026-06-01T00:00:05Z',
    region: 'eu-west-1',
    resources: ['arn:aws:ses:eu-west-1:123456789012:configuration-set/postern'],
    detail: {
      eventType: type,
      mail: {
        timestamp: '2026-06-01T00:00:00.000Z',
        source: 'ann@shop.example',
        messageId: '0100018e-1',
        destination: ['bob@remote.example'],
        tags: {
          'ses:configuration-set': ['postern'],
          ...Object.fromEntries(Object.entries(tags).map(([name, value]) => [name, [value]])),
        },
      },
      ...told,
    },
  })
}

const DETAIL_TYPES: Readonly<Record<string, string>> = {
  Send: 'Email Sent',
  Delivery: 'Email Delivered',
  Bounce: 'Email Bounced',
  Complaint: 'Email Complaint Received',
  DeliveryDelay: 'Email Delivery Delayed',
  Reject: 'Email Rejected',
  'Rendering Failure': 'Email Rendering Failed',
}
