/**
 * What a probe prints: text for people, or one JSON object a line for programs.
 */
import type { TunnelOptions } from '../../control/index.ts'
import type { Negotiated, SessionEvent, Stats } from '../../session/index.ts'
import type { Outcome } from './client-end.ts'
import { describeNegotiated, describeStats } from './describe.ts'
import { type CipherStory, explainDifference, explainRefusal } from './explain.ts'
import type { CommandIo } from './io.ts'

/** News of a probe, in the order in which they happen. */
export interface ProbeReporter {
  warnings(lines: readonly string[]): void
  connecting(remote: string, protocol: string): void
  connected(ms: number, negotiated: Negotiated, options: TunnelOptions): void
  /** Why the tunnel has its data cipher. */
  cipher(story: CipherStory): void
  /** An attempt ended and another begins in `delay` ms. */
  retry(end: Outcome, delay: number): void
  /** Session events of no consequence for the outcome. */
  event(event: SessionEvent): void
  ping(sequence: number, ms: number): void
  pings(sent: number, received: number): void
  closed(reason: string, text: string, stats: Stats | undefined): void
  /** Anything else: a word for programs, fields, and a line for people. */
  note(event: string, fields: object, text: string): void
}

const tenths = (ms: number): number => Math.round(ms * 10) / 10
const hundredths = (ms: number): number => Math.round(ms * 100) / 100

/** One JSON object a line on standard output. */
export function jsonReporter(io: CommandIo): ProbeReporter {
  const print = (value: object): void => {
    io.out(JSON.stringify(value))
  }
  return {
    warnings: (lines) => {
      for (const message of lines) print({ event: 'warning', message })
    },
    connecting: (remote, protocol) => {
      print({ event: 'connecting', remote, protocol })
    },
    connected: (ms, negotiated, options) => {
      print({ event: 'connected', ms: tenths(ms), negotiated, options })
    },
    cipher: (story) => {
      print({ event: 'cipher', ...story })
    },
    retry: ({ reason, text }, delay) => {
      print({ event: 'retry', reason, message: text, delay })
    },
    event: ({ type, ...rest }) => {
      print({ event: type, ...rest })
    },
    ping: (seq, ms) => {
      print({ event: 'ping', seq, ms: hundredths(ms) })
    },
    pings: (sent, received) => {
      print({ event: 'pings', sent, received })
    },
    closed: (reason, message, stats) => {
      print({ event: 'closed', reason, message, ...(stats === undefined ? {} : { stats: nonZero(stats) }) })
    },
    note: (event, fields) => {
      print({ event, ...fields })
    },
  }
}

/** The counters with only those drops that happened. */
function nonZero(stats: Stats): object {
  return { ...stats, dropped: Object.fromEntries(Object.entries(stats.dropped).filter(([, count]) => count > 0)) }
}

/** Text for a person. */
export function textReporter(io: CommandIo, explain: boolean): ProbeReporter {
  const times: number[] = []
  return {
    warnings: (lines) => {
      for (const line of lines) io.error(`warning: ${line}`)
    },
    connecting: (remote, protocol) => {
      io.out(`connecting to ${remote} over ${protocol.toUpperCase()}`)
    },
    connected: (ms, negotiated, options) => {
      io.out(`connected in ${tenths(ms)} ms`)
      for (const line of describeNegotiated(negotiated)) io.out(`  ${line}`)
      for (const line of describeTunnel(options)) io.out(`  ${line}`)
    },
    cipher: ({ because }) => {
      io.out(`  why ${because}`)
    },
    retry: ({ reason, text }, delay) => {
      io.out(`${reason}: ${text}; again${delay === 0 ? '' : ` in ${delay / 1000} s`}`)
    },
    event: (event) => {
      for (const line of explainEvent(event, explain)) io.out(line)
    },
    ping: (sequence, ms) => {
      times.push(ms)
      io.out(`ping ${sequence}: ${hundredths(ms)} ms`)
    },
    pings: (sent, received) => {
      const sorted = [...times].sort((a, b) => a - b)
      const middle = sorted.slice((sorted.length - 1) >> 1, (sorted.length >> 1) + 1)
      const median = middle.length === 0 ? undefined : middle.reduce((sum, ms) => sum + ms, 0) / middle.length
      io.out(`${received} of ${sent} pings came back${median === undefined ? '' : `, median ${hundredths(median)} ms`}`)
    },
    closed: (reason, text, stats) => {
      io.out(reason === 'local' ? text : `${reason}: ${text}`)
      if (stats !== undefined) for (const line of describeStats(stats)) io.out(`  ${line}`)
    },
    note: (_event, _fields, text) => {
      io.out(text)
    },
  }
}

/** The pushed tunnel in a few lines. */
function describeTunnel(options: TunnelOptions): readonly string[] {
  const lines: string[] = []
  for (const address of [options.ipv4, options.ipv6]) {
    if (address === undefined) continue
    lines.push(
      `address ${address.address}/${address.prefix}${address.peer === undefined ? '' : `, peer ${address.peer}`}`,
    )
  }
  if (options.routeGateway !== undefined) lines.push(`gateway ${options.routeGateway}`)
  for (const route of [...options.routes, ...options.routes6].slice(0, 20)) {
    lines.push(`route ${route.network}/${route.prefix}${route.gateway === undefined ? '' : ` via ${route.gateway}`}`)
  }
  const servers = options.dns.servers.flatMap((server) => server.addresses.map(({ address }) => address))
  if (servers.length > 0) lines.push(`dns ${servers.join(', ')}`)
  // Whether it happens is the inner side's: a probe and a proxy redirect nothing.
  if (options.redirectGateway !== undefined) lines.push('the server wants all traffic to go through the tunnel')
  return lines
}

function explainEvent(event: SessionEvent, explain: boolean): readonly string[] {
  switch (event.type) {
    case 'unprotected':
      return [
        ...(event.encrypted ? [] : ['the data channel is NOT ENCRYPTED (cipher none)']),
        ...(event.authenticated ? [] : ['the data channel is NOT AUTHENTICATED (auth none)']),
      ]
    case 'rekeyed':
      return [`new keys (key id ${event.keyId}), begun by ${event.initiator}`]
    case 'info':
      return [`the server says: ${event.message}`]
    case 'login-request':
      return [event.request.type === 'text' ? `the login asks: ${event.request.text}` : 'the login goes on elsewhere']
    case 'auth-pending':
      return [`the server decides on the login for up to ${event.timeout / 1000} s`]
    case 'push-refused':
      return explain ? event.refused.map(explainRefusal) : []
    case 'push-received':
      return explain ? event.options.map((option) => `pushed: ${option}`) : []
    case 'options-differ':
      return explain ? event.differences.map(explainDifference) : []
    default:
      return []
  }
}
