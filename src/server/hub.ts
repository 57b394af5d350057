/**
 * The clients of a server and what passes between them: every output of a session is carried out here.
 *
 * Packets are checked against their sender and routed, logins are judged and answered, deadlines are booked, and what ends is
 * freed. The hub knows no sockets and no strangers; `server.ts` and `entrance.ts` stand before it.
 */
import { Arena, ConfigError, Queue, UsageError } from '../bytes/index.ts'
import type { AuthFailure } from '../control/index.ts'
import type { CryptoProvider } from '../crypto/index.ts'
import { isAuthentic } from '../data/index.ts'
import {
  type DropReason,
  type Environment,
  LaneCode,
  type PushConfig,
  type SessionEvent,
  type SessionSnapshot,
} from '../session/index.ts'
import { Opcode, opcodeOf, PEER_ID_NONE, readPeerId } from '../wire/index.ts'
import { AddressPool } from './address-pool.ts'
import { Admission, type SessionLogin } from './admission.ts'
import { type Newcomer, ServerClient, Sweep } from './client.ts'
import { parseNetwork } from './client-policy.ts'
import { ClientTable } from './client-table.ts'
import type { Grant, ServerConfig } from './config.ts'
import { DeadlineHeap } from './deadline-heap.ts'
import { ipv4Number } from './numbers.ts'
import type { ServerCloseReason, ServerDropReason, ServerEvent, ServerOutput } from './output.ts'
import { RateLimit } from './rate-limit.ts'
import { Router } from './router.ts'
import { createServerCounters } from './stats.ts'
import { Tokens } from './tokens.ts'
import { fromTrunk, isPortFrame, isVlan, toTrunk } from './vlan.ts'
import type { WorkBudget } from './work-budget.ts'

/** Largest datagram and packet there can be. */
const ROOM = 65_535
/** Room before and behind a packet for all that any channel and framing puts there. */
const SEAL_ROOM = 256
/** How long a dismissed client has to hear of it. */
const LINGER = 2000

/** What a client hears whose grant cannot be carried out: that may be better when it comes again. */
const NOTHING_TO_GIVE: AuthFailure = {
  type: 'temporary',
  message: 'the server could not give this client its options',
  backoffSeconds: undefined,
  advance: undefined,
}

/** Everybody who is connected or about to be. */
export class Hub {
  now: number
  state: 'open' | 'closing' | 'closed' = 'open'
  readonly table: ClientTable
  readonly pool: AddressPool
  readonly router: Router<ServerClient>
  readonly heap = new DeadlineHeap<ServerClient | Newcomer | Sweep>()
  /** First packets that are answered. */
  readonly resets: RateLimit
  /** What handshakes may cost. */
  readonly work: WorkBudget
  readonly stats = createServerCounters()
  readonly outputs = new Queue<ServerOutput>()
  /** Where packets are opened and sealed: one place for all clients, so that none keeps its last one alive. */
  readonly #room = new Uint8Array(ROOM + 2 * SEAL_ROOM)
  /** Where results are copied to, to be given away. */
  readonly #arena = new Arena()
  readonly #config: ServerConfig
  readonly #sweep = new Sweep()
  readonly admission: Admission
  /** Means nothing. A look that nobody may see would be none. */
  touched = 0

  /** @throws ConfigError */
  constructor(config: ServerConfig, environment: Environment, crypto: CryptoProvider, work: WorkBudget) {
    this.now = environment.now
    this.work = work
    this.#config = config
    const { device, staleRoutes, vlan } = config
    if (vlan !== undefined && (device !== 'tap' || !isVlan(vlan.pvid))) {
      throw new ConfigError('vlan-tagging', 'VLANs are for tap, and vlan-pvid is from 1 to 4094')
    }
    if (config.pushConstraint !== undefined && parseNetwork(config.pushConstraint)?.network.length !== 4) {
      throw new ConfigError('ifconfig-push-constraint', `${config.pushConstraint} is no IPv4 network`)
    }
    if (staleRoutes !== undefined) {
      if (!(staleRoutes.age > 0 && staleRoutes.interval > 0))
        throw new ConfigError('stale-routes-check', 'times are above 0')
      this.heap.set(this.#sweep, this.now + staleRoutes.interval)
    }
    this.table = new ClientTable(config.maxClients ?? 1024, config.firstPeerId)
    this.pool = new AddressPool(config.addresses, config.leases)
    this.router = new Router(config.device ?? 'tun', config.maxRoutesPerClient ?? 256, broadcastOf(config))
    this.resets = new RateLimit(config.connectFreqInitial ?? { count: 100, period: 10_000 })
    const tokens = new Tokens(config.authToken, crypto, environment.random)
    this.admission = new Admission(config, this.table, this.pool, this.router, tokens, environment.timeOrigin)
  }

  /** A control datagram of a client: whoever is not connected waits while handshakes cost too much. SRV-80 */
  receiveControl(bytes: Uint8Array, client: ServerClient): void {
    if (!this.work.allows(client.connected, this.now)) {
      this.drop('handshake-work')
      return
    }
    client.credit?.earn(bytes.length)
    client.session.receive(bytes, this.now)
    // An ack of our reset names the session id in it. SRV-3
    if (client.credit !== undefined && client.session.keyStates.some(({ state }) => state !== 'pre-start')) {
      client.credit = undefined
    }
    this.settle(client)
  }

  /** Data that names its client and comes from where that client is, as nearly all of it: false for any other datagram. SRV-10 */
  receiveNamed(bytes: Uint8Array, from: string): boolean {
    if (bytes.length < 4 || opcodeOf(bytes[0] as number) !== Opcode.DATA_V2) return false
    const client = this.table.byPeerId(readPeerId(bytes, 0))
    if (client === undefined) return false
    this.touched = client.touchToOpen() + client.address.length
    if (client.address !== from || client.transport !== 'udp') return false
    this.stats.datagramsReceived++
    const result = this.#open(bytes, client)
    if (result >= 0) this.#route(client, this.#opened(client, result))
    if (result < 0 || client.session.hurried) this.settle(client)
    return true
  }

  /** Any other data. SRV-10, SRV-11 */
  receiveData(bytes: Uint8Array, from: string, byAddress: ServerClient | undefined): void {
    const named = opcodeOf(bytes[0] as number) === Opcode.DATA_V2 && bytes.length >= 4
    const peerId = named ? readPeerId(bytes, 0) : PEER_ID_NONE
    const client = peerId === PEER_ID_NONE ? byAddress : this.table.byPeerId(peerId)
    if (client?.transport !== 'udp') {
      this.drop('no-client') // SRV-1, SRV-14
      return
    }
    const result = this.#open(bytes, client)
    const authentic = isAuthentic(result) && result > LaneCode.NO_TUNNEL
    const welcome = client.address === from || (authentic && this.#float(client, from, byAddress)) // SRV-12
    if (result >= 0 && welcome) this.#route(client, this.#opened(client, result))
    this.settle(client)
  }

  /** Opens a copy of a datagram, as far as one can be. */
  #open(bytes: Uint8Array, { session }: ServerClient): number {
    const { length } = bytes
    if (length > ROOM) return session.open(bytes.slice(), 0, length, this.now)
    this.#room.set(bytes)
    return session.open(this.#room, 0, length, this.now)
  }

  /** What was opened last, as bytes to be given away. */
  #opened({ session }: ServerClient, length: number): Uint8Array {
    return this.#arena.copy(session.resultBuffer, session.resultOffset, length)
  }

  /** SRV-13: an address that belongs to somebody else is not taken over. */
  #float(client: ServerClient, to: string, holder: ServerClient | undefined): boolean {
    if (holder !== undefined && (client.name === undefined || holder.name !== client.name)) {
      return this.drop('float-refused')
    }
    if (holder !== undefined) this.end(holder, { type: 'replaced', by: client.id })
    const from = client.address
    this.table.move(client, to)
    this.stats.floats++
    this.event(client, { type: 'client-floated', from, to })
    return true
  }

  /** Takes a session's outputs and books its deadline. */
  settle(client: ServerClient): void {
    if (client.gone) return
    this.stats.handshakeWork = this.work.total
    const { session } = client
    for (let output = session.poll(); output !== undefined; output = session.poll()) {
      if (output.type === 'transmit') this.#transmit(client, output.data)
      else if (output.type === 'packet') this.#route(client, output.data)
      else if (output.event.type === 'login') this.#login(client, output.event)
      else if (output.event.type === 'connected') this.#connected(client, output.event)
      else if (output.event.type === 'closed') client.closeReason = output.event.reason
      else this.event(client, output.event)
    }
    if (session.state === 'closed') this.#forget(client)
    else if (session.state === 'waiting')
      this.end(client, { type: 'timed-out', timer: 'hand-window', detail: 'nobody negotiated' })
    else this.heap.set(client, session.pollTimeout())
  }

  /** SRV-3 */
  #transmit({ address, credit }: ServerClient, data: Uint8Array): void {
    if (credit?.pay(data.length) === false) this.drop('address-unproven')
    else this.outputs.push({ type: 'transmit', to: address, data })
  }

  #login(client: ServerClient, login: SessionLogin): void {
    if (login.number !== client.session.pendingLogin) return // Given up in the same breath: there is nothing to answer.
    const verdict = this.admission.judge(client, login, this.now)
    if (verdict.type === 'ask') this.event(client, verdict.event)
    else if (verdict.type === 'allow') this.allow(client, {})
    else this.deny(client, verdict.answer)
  }

  allow(client: ServerClient, grant: Grant): void {
    client.asking = false
    for (const rival of this.admission.rivals(client, grant)) this.#displace(rival, client, grant)
    const push = this.admission.admit(client, grant, this.now)
    const problem = typeof push === 'string' ? push : this.#push(client, push)
    if (problem === undefined) return
    this.event(client, { type: 'refused', address: client.address, detail: problem })
    this.deny(client, NOTHING_TO_GIVE)
  }

  /** A namesake is the same client before it began anew; anybody else is alive, and is to come again for another address. */
  #displace(rival: ServerClient, client: ServerClient, grant: Grant): void {
    const isNamesake = rival.name !== undefined && rival.name === this.admission.nameFor(client, grant)
    this.end(rival, { type: 'replaced', by: client.id }, isNamesake ? undefined : 'RESTART')
    this.admission.release(rival)
  }

  /** SRV-49: a line that cannot be pushed refuses this client, and nobody else notices. */
  #push(client: ServerClient, push: PushConfig): string | undefined {
    try {
      client.session.allow(this.now, push)
      return undefined
    } catch (error) {
      if (!(error instanceof UsageError)) throw error
      this.admission.release(client)
      return error.message
    }
  }

  deny(client: ServerClient, answer: string | AuthFailure): void {
    client.asking = false
    client.session.deny(answer, this.now)
  }

  #connected(client: ServerClient, event: Extract<SessionEvent, { type: 'connected' }>): void {
    client.connected = true
    this.stats.clientsConnected++
    if (client.transport === 'udp') this.resets.refund() // SRV-8
    const { address, addresses, name } = client
    const { negotiated, options } = event
    this.event(client, { type: 'client-connected', address, name, addresses, options, negotiated })
  }

  /** A client of another server goes on here. SRV-72 */
  adopt(client: ServerClient, { tunnel }: SessionSnapshot): void {
    const { address, addresses, name } = client
    this.table.add(client)
    this.event(client, { type: 'client-imported', address, name, addresses, negotiated: tunnel.primary.negotiated })
    this.settle(client)
  }

  /** A packet or frame from the tunnel side. */
  send(given: Uint8Array): boolean {
    const { vlan } = this.#config
    const port = vlan === undefined || given.length < 14 ? { vlan: 0, frame: given } : fromTrunk(given, vlan)
    if (port === undefined) return this.drop('vlan-refused')
    const target = this.router.destination(port.frame, port.vlan)
    if (target === 'malformed') return this.drop('malformed')
    if (target === 'nobody' && this.#config.device !== 'tap') return this.drop('no-route')
    if (target === 'everybody' || target === 'nobody') return this.flood(port.frame, undefined, port.vlan)
    return this.deliver(port.frame, target, undefined)
  }

  /** SRV-39: hardware addresses that were silent for long are forgotten. */
  sweep(): void {
    const { staleRoutes } = this.#config
    if (staleRoutes === undefined) return
    this.router.sweep(staleRoutes.age, this.now)
    this.heap.set(this.#sweep, this.now + staleRoutes.interval)
  }

  /** A packet that a client sent. SRV-31, SRV-33 */
  #route(client: ServerClient, packet: Uint8Array): void {
    const { policy } = client
    const { vlan } = this.#config
    if (vlan !== undefined && !isPortFrame(packet)) {
      this.drop('vlan-refused')
      return
    }
    const verdict = this.router.judgeSource(packet, client, this.now)
    if (verdict !== 'good' && !(verdict === 'bad-source' && policy?.allowsSource(packet) === true)) {
      this.drop(verdict)
      return
    }
    if (policy?.allowsBytes(packet.length, true, this.now) === false) {
      this.drop('rate-limited')
      return
    }
    if (this.#config.clientToClient === true) {
      const target = this.router.destination(packet, client.vlan)
      if (target instanceof ServerClient) {
        if (target !== client && this.deliver(packet, target, client)) this.stats.relayed++
        return
      }
      if (target === 'everybody' || (target === 'nobody' && this.#config.device === 'tap')) {
        this.flood(packet, client, client.vlan)
      }
    }
    const outside = vlan === undefined ? packet : toTrunk(packet, client.vlan, vlan)
    if (outside === undefined) this.drop('vlan-refused')
    else if (policy?.allowsNetwork(packet, true) === false) this.drop('filtered')
    else this.outputs.push({ type: 'packet', client: client.id, data: outside })
  }

  /** To a client, from another one or from the tunnel side (`sender` undefined), if both sides' policies let it through. */
  deliver(packet: Uint8Array, target: ServerClient, sender: ServerClient | undefined): boolean {
    const { policy } = target
    const passes =
      sender === undefined
        ? policy?.allowsNetwork(packet, false) !== false
        : policy?.allowsClient(sender.name) !== false && sender.policy?.allowsClient(target.name) !== false
    if (!passes) return this.drop('filtered')
    if (policy?.allowsBytes(packet.length, false, this.now) === false) return this.drop('rate-limited')
    return this.#seal(packet, target)
  }

  /** Seals a packet for a client and sends it. */
  #seal(packet: Uint8Array, client: ServerClient): boolean {
    const { session } = client
    if (packet.length > ROOM) return this.drop('malformed')
    this.touched = client.touchToSeal()
    this.#room.set(packet, SEAL_ROOM)
    const first = session.seal(this.#room, SEAL_ROOM, packet.length, this.now)
    for (let size = first; size > 0; size = session.sealNext(this.#room, SEAL_ROOM, this.now)) {
      this.#transmit(client, this.#arena.copy(this.#room, session.resultOffset, size))
      if (session.fragmentsLeft === 0) break
    }
    if (first < 0 || session.hurried) this.settle(client)
    return first > 0
  }

  /** SRV-34: to everybody of the VLAN who is connected but the sender. */
  flood(packet: Uint8Array, sender: ServerClient | undefined, vlan: number): boolean {
    let sent = false
    for (const client of [...this.table.all()]) {
      if (client !== sender && client.connected && client.vlan === vlan)
        sent = this.deliver(packet, client, sender) || sent
    }
    return sent
  }

  /** Ends a client, telling it why where it can hear. SRV-52 */
  end(client: ServerClient, reason: ServerCloseReason, message?: string): void {
    if (client.gone) return
    client.ending ??= reason
    if (message !== undefined && client.connected) {
      client.session.dismiss(message, this.#config.linger ?? LINGER, this.now)
    } else client.session.abandon(this.now)
    this.settle(client)
  }

  /** SRV-53 */
  #forget(client: ServerClient): void {
    client.gone = true
    const { address, name } = client
    this.admission.release(client)
    this.table.remove(client)
    this.heap.set(client, Infinity)
    this.stats.clientsClosed++
    const reason = client.ending ?? client.closeReason ?? { type: 'local' }
    this.event(client, { type: 'client-closed', address, name, reason, stats: client.session.stats })
    if (client.transport === 'tcp' && reason.type !== 'hung-up')
      this.outputs.push({ type: 'hang-up', connection: address })
    this.finishShutdown()
  }

  finishShutdown(): void {
    if (this.state !== 'closing' || this.table.size > 0) return
    this.state = 'closed'
    this.heap.set(this.#sweep, Infinity)
    this.outputs.push({ type: 'event', client: undefined, event: { type: 'server-closed' } })
  }

  event(client: ServerClient, event: ServerEvent): void {
    this.outputs.push({ type: 'event', client: client.id, event })
  }

  drop(reason: ServerDropReason | DropReason): false {
    this.stats.dropped[reason]++
    return false
  }
}

/** The tunnel network's broadcast address where clients share one network. */
function broadcastOf({ addresses }: ServerConfig): number | undefined {
  const { ipv4, topology } = addresses
  if (ipv4 === undefined || topology !== 'subnet') return undefined
  return ipv4Number(ipv4.network, 'server') + 2 ** (32 - ipv4.prefix) - 1
}
