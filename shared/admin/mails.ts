import { Hono } from 'hono'
import type { AccountName } from '../account/options.ts'
import { formatInstant } from '../base/clock.ts'
import type { Mail } from '../mailbox/mail.ts'
import { type WireAddress, wireAddresses } from '../message/wire-message.ts'
import type { AdminPorts } from './admin-ports.ts'
import { accountNames, listQuery } from './list-query.ts'
import { answer, readQuery } from './request.ts'

/** A stored mail in the list. */
export interface MailJson {
  readonly MsgID: number
  readonly Account: AccountName
  readonly MailboxName: string
  readonly UID: number
  readonly Received: string
  readonly Size: number
  readonly MailFrom: string
  readonly RcptTo: string
  readonly From: readonly WireAddress[]
  readonly Subject: string
  readonly MessageID: string
  readonly Flags: readonly string[]
}

/** The stored mail of one account, or of all, the newest first. */
export function mailRoutes(ports: AdminPorts): Hono {
  const routes = new Hono()
  routes.get('/', async (context) => {
    const { account, limit } = readQuery(context, listQuery)
    const names = accountNames(await ports.options.readNewest(), account)
    const mails = await Promise.all(names.map((name) => ports.mailboxes.list(name, Number(limit))))
    const newest = mails.flat().sort((one, other) => other.id - one.id)
    return answer(context, newest.slice(0, Number(limit)).map(mailJson))
  })
  return routes
}

function mailJson(mail: Mail): MailJson {
  return {
    MsgID: mail.id,
    Account: mail.account,
    MailboxName: mail.mailbox,
    UID: mail.uid,
    Received: formatInstant(mail.receivedAt),
    Size: mail.size,
    MailFrom: mail.envelope.mailFrom,
    RcptTo: mail.envelope.rcptTo,
    From: wireAddresses(mail.fields.from),
    Subject: mail.fields.subject,
    MessageID: mail.fields.messageId,
    Flags: mail.flags,
  }
}
