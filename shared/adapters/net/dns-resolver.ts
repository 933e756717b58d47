import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import { AnswerCache } from '../../dns/answer-cache.ts'
import { isValidationFailure } from '../../dns/extended-error.ts'
import { askableName } from '../../dns/names.ts'
import { encodeQuery } from '../../dns/query.ts'
import { dnsFailure, type ReadAnswer, readAnswer } from '../../dns/read-answer.ts'
import type { DnsAnswer, DnsFailure, DnsRecords, DnsRecordType, Resolver } from '../../dns/resolver.ts'
import { type DnsResponse, decodeResponse, isTruncated } from '../../dns/response.ts'
import type { DnsConfiguration, DnsServer } from './dns-configuration.ts'
import { exchangeOverTcp, exchangeOverUdp } from './dns-exchange.ts'

interface ResolverPorts {
  /** For the cache. */
  readonly clock: Clock
  /** For the ids of queries, which a forger must guess. */
  readonly random: Random
}

/** Some tens of megabytes at most, as what is remembered came in messages of at most 4 KB. */
const CACHED_ANSWERS = 2000
const CACHED_OCTETS = 4096

/**
 * Asks recursive resolvers, over UDP and where the answer is too long for that over TCP. They find and validate; we
 * believe them that an answer is authentic where the configuration trusts them. Answers are remembered for as long as
 * they are true, and the same question is on its way only once.
 */
export function dnsResolver(configuration: DnsConfiguration, ports: ResolverPorts): Resolver {
  const cache = new AnswerCache(ports.clock, CACHED_ANSWERS)
  const underway = new Map<string, Promise<DnsAnswer<unknown>>>()

  const ask = async (type: DnsRecordType, name: string): Promise<DnsAnswer<unknown>> => {
    const read = await askServers(configuration, ports.random, type, name)
    cache.set(`${type} ${name}`, read)
    return read.answer
  }
  const lookUp = async (type: DnsRecordType, name: string): Promise<DnsAnswer<unknown>> => {
    const askable = askableName(name)
    if (askable === undefined) return { kind: 'no-name', authentic: false }
    const question = `${type} ${askable}`
    const known = cache.get(question) ?? underway.get(question)
    if (known !== undefined) return known
    const asked = ask(type, askable).finally(() => underway.delete(question))
    underway.set(question, asked)
    return asked
  }
  // What is remembered under a type are answers of that type.
  return { lookUp: (type, name) => lookUp(type, name) as Promise<DnsAnswer<DnsRecords[typeof type]>> }
}

/**
 * Asks one server after the other until one has an answer. Who did not answer is asked again in the next round, who
 * answered with an error is not. That signatures are bad is an answer for all: another server might not look at them.
 */
async function askServers(
  { servers, isTrusted, timeoutMs, rounds }: DnsConfiguration,
  random: Random,
  type: DnsRecordType,
  name: string,
): Promise<ReadAnswer<unknown>> {
  let refused: DnsFailure | undefined
  let silence = ''
  const refusedBy = new Set<DnsServer>()
  const turns = new Array<readonly DnsServer[]>(rounds).fill(servers).flat()
  for (const server of turns) {
    if (refusedBy.has(server)) continue
    const query = encodeQuery({ id: drawId(random), type, name, asksForAuthenticity: isTrusted })
    const reply = await askServer(server, query, timeoutMs)
    if ('error' in reply) {
      silence = reply.error
      continue
    }
    const { answer, ttlSeconds } = readAnswer(type, name, reply.response, isTrusted)
    const isFinal = answer.kind !== 'failed' || isValidationFailure(answer)
    if (isFinal) return { answer, ttlSeconds: reply.isSmall ? ttlSeconds : 0 }
    refusedBy.add(server)
    refused = refused?.extended ? refused : answer
  }
  return { answer: refused ?? dnsFailure(type, name, silence), ttlSeconds: 0 }
}

type Reply = { readonly response: DnsResponse; readonly isSmall: boolean } | { readonly error: string }

async function askServer(server: DnsServer, query: Uint8Array, timeoutMs: number): Promise<Reply> {
  const overUdp = await exchangeOverUdp(server, query, timeoutMs)
  const isWhole = 'error' in overUdp || !isTruncated(overUdp.message)
  const exchange = isWhole ? overUdp : await exchangeOverTcp(server, query, timeoutMs)
  if ('error' in exchange) return exchange
  const { message } = exchange
  // A part of the records is no answer (RFC 2181 §9).
  if (isTruncated(message)) return { error: 'the answer is too long for a DNS message' }
  const response = decodeResponse(message)
  if (response === undefined) return { error: 'the DNS server sent a malformed message' }
  return { response, isSmall: message.length <= CACHED_OCTETS }
}

function drawId(random: Random): number {
  const [high = 0, low = 0] = random.bytes(2)
  return high * 256 + low
}
