import {
  AlreadyExistsException,
  CreateEmailIdentityCommand,
  DeleteEmailIdentityCommand,
  GetEmailIdentityCommand,
  type GetEmailIdentityCommandOutput,
  NotFoundException,
  PutEmailIdentityMailFromAttributesCommand,
  SESv2Client,
} from '@aws-sdk/client-sesv2'
import type { SesIdentities, SesIdentity } from '../../admin/ses-identities.ts'

/** A region that does not answer must not take the 29 seconds of the call that waits for it. */
const TIMES = { connectionTimeout: 2_000, requestTimeout: 4_000, throwOnRequestTimeout: true } as const

/** Identities of SES; those that name `configurationSet` are ours. Loaded only when a domain comes or goes. */
export function awsSesIdentities(
  configurationSet: string,
  client = new SESv2Client({ maxAttempts: 2, requestHandler: TIMES }),
): SesIdentities {
  const read = async (EmailIdentity: string) =>
    await client.send(new GetEmailIdentityCommand({ EmailIdentity }))
  return {
    async ensure(domain, mailFromDomain) {
      await create(client, domain, configurationSet)
      const region = await client.config.region()
      const found = await read(domain)
      // An identity that was there before may have one that somebody chose.
      if (found.MailFromAttributes?.MailFromDomain) return identityOf(found, region)
      await client.send(
        new PutEmailIdentityMailFromAttributesCommand({
          EmailIdentity: domain,
          MailFromDomain: mailFromDomain,
          // Until the MX record is there, or when it is lost, mail goes out all the same.
          BehaviorOnMxFailure: 'USE_DEFAULT_VALUE',
        }),
      )
      return identityOf(await read(domain), region)
    },

    async remove(domain) {
      try {
        if ((await read(domain)).ConfigurationSetName !== configurationSet) return
        await client.send(new DeleteEmailIdentityCommand({ EmailIdentity: domain }))
      } catch (error) {
        if (!(error instanceof NotFoundException)) throw error
      }
    },
  }
}

async function create(client: SESv2Client, domain: string, configurationSet: string): Promise<void> {
  try {
    await client.send(
      new CreateEmailIdentityCommand({
        EmailIdentity: domain,
        DkimSigningAttributes: { NextSigningKeyLength: 'RSA_2048_BIT' },
        ConfigurationSetName: configurationSet,
      }),
    )
  } catch (error) {
    if (!(error instanceof AlreadyExistsException)) throw error
  }
}

function identityOf(
  { VerifiedForSendingStatus, DkimAttributes, MailFromAttributes }: GetEmailIdentityCommandOutput,
  region: string,
): SesIdentity {
  const { MailFromDomain, MailFromDomainStatus } = MailFromAttributes ?? {}
  const isEasy = DkimAttributes?.SigningAttributesOrigin !== 'EXTERNAL'
  return {
    region,
    isVerified: VerifiedForSendingStatus ?? false,
    dkim: {
      status: DkimAttributes?.Status ?? 'NOT_STARTED',
      tokens: isEasy ? (DkimAttributes?.Tokens ?? []) : [],
      // Some regions publish in a zone of their own, and say so.
      hostedZone: DkimAttributes?.SigningHostedZone ?? 'dkim.amazonses.com',
    },
    mailFrom: MailFromDomain
      ? { domain: MailFromDomain, status: MailFromDomainStatus ?? 'PENDING' }
      : undefined,
  }
}
