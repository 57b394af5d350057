/**
 * The log of `ovpn serve` for people: one line an event, with the time, the client's number and what is worth knowing.
 *
 * Addresses are written `192.0.2.7:4711/udp`. Secrets, bytes and what only programs read stay out, and so do control
 * characters: names and messages are the clients' own.
 */
import type { ClientAddresses, ClientId, ServerCloseReason } from '../../server/index.ts'
import { describeCloseReason } from '../../session/index.ts'
import { readAddress } from '../server-driver.ts'

/** Fields whose values are addresses of the driver. */
const ADDRESSES: ReadonlySet<string> = new Set('address from to'.split(' '))
/** Fields that have a place of their own, or none. */
const LEFT_OUT: ReadonlySet<string> = new Set(['addresses', 'certificates', 'reason'])

/**
 * The line of an event.
 *
 * @param time - local time is shown.
 * @param fields - of the event, in the order of the line.
 */
export function logLine(time: Date, client: ClientId | undefined, event: string, fields: object): string {
  const { addresses, reason } = fields as {
    addresses?: ClientAddresses | readonly string[]
    reason?: ServerCloseReason
  }
  const inside = Object.values(addresses ?? {}) as readonly string[]
  const words = Object.entries(fields)
    .filter(([name]) => !LEFT_OUT.has(name))
    .filter(([, value]) => typeof value === 'string' || typeof value === 'number' || Array.isArray(value))
    .map(([name, value]) => `${name}=${showValue(name, value)}`)
  return [
    timestamp(time),
    ...(client === undefined ? [] : ['client', client]),
    client === undefined ? event : event.replace(/^client-/, ''),
    ...words,
    ...(inside.length === 0 ? [] : [`tunnel=${inside.join(',')}`]),
  ]
    .join(' ')
    .concat(reason === undefined ? '' : `: ${describeEnd(reason)}`)
    .replace(/\p{Cc}/gu, '?')
}

function showValue(name: string, value: unknown): string {
  if (ADDRESSES.has(name) && typeof value === 'string') return showAddress(value)
  return name === 'differences' ? JSON.stringify(value) : String(value)
}

function showAddress(address: string): string {
  const { host, port, protocol } = readAddress(address)
  return `${host.includes(':') ? `[${host}]` : host}:${port}/${protocol}`
}

function describeEnd(reason: ServerCloseReason): string {
  switch (reason.type) {
    case 'killed':
      return `told to go${reason.message === '' ? '' : ` (${reason.message})`}`
    case 'replaced':
      return `its name connected again, as client ${reason.by}`
    case 'exported':
      return 'goes on at another server'
    case 'hung-up':
      return 'the TCP connection ended'
    case 'shutdown':
      return 'the server shuts down'
    default:
      return describeCloseReason(reason)
  }
}

/** `2026-11-30 08:47:45`. */
function timestamp(time: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0')
  const day = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join('-')
  return `${day} ${[time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':')}`
}
