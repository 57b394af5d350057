/**
 * Who gets in and with what: identity, names, addresses, networks, push (spec/server.md, "Admission").
 *
 * A login is judged without a callback: the verdict is to ask the host, to let in, or to refuse. Letting in takes a lease,
 * enters the client's addresses and networks into the routes, and puts its push together; whatever of it fails undoes the
 * rest and refuses.
 */
import { equalBytes, UsageError } from '../bytes/index.ts'
import { type AuthFailure, maskBytes, parseIpv4Bytes, parseIpv6Bytes } from '../control/index.ts'
import type { PushConfig, SessionEvent } from '../session/index.ts'
import { commonName, parseCertificate } from '../x509/index.ts'
import type { AddressPool, LeasedAddresses } from './address-pool.ts'
import type { Identity, ServerClient } from './client.ts'
import { compilePolicy, limitsOf, parseNetwork } from './client-policy.ts'
import type { ClientTable } from './client-table.ts'
import type { ClientLimits, Grant, ServerConfig } from './config.ts'
import type { ClientState } from './client-state.ts'
import type { LoginEvent } from './output.ts'
import { type GivenAddresses, type Network, pushFor } from './push-lines.ts'
import type { Router } from './router.ts'
import type { Tokens } from './tokens.ts'
import { isVlan } from './vlan.ts'

/** The session's question. */
export type SessionLogin = Extract<SessionEvent, { type: 'login' }>

/** What is to be done about a login. */
export type LoginVerdict =
  | { readonly type: 'ask'; readonly event: LoginEvent }
  | { readonly type: 'allow' }
  | { readonly type: 'deny'; readonly answer: string | AuthFailure }

/** Decides and gives. */
export class Admission {
  readonly #config: ServerConfig
  readonly #table: ClientTable
  readonly #pool: AddressPool
  readonly #router: Router<ServerClient>
  readonly #tokens: Tokens
  readonly #timeOrigin: number

  constructor(
    config: ServerConfig,
    table: ClientTable,
    pool: AddressPool,
    router: Router<ServerClient>,
    tokens: Tokens,
    timeOrigin: number,
  ) {
    this.#config = config
    this.#table = table
    this.#pool = pool
    this.#router = router
    this.#tokens = tokens
    this.#timeOrigin = timeOrigin
  }

  /** Judges a login. */
  judge(client: ServerClient, login: SessionLogin, now: number): LoginVerdict {
    const identity: Identity = {
      commonName: nameOf(client, login.certificates),
      username: login.username,
      certificate: login.certificates[0],
    }
    // SRV-45: who restarts at a client's address is that client.
    if (client.identity !== undefined && !sameIdentity(client.identity, identity)) {
      return { type: 'deny', answer: 'another client is connected from this address' }
    }
    client.identity = identity
    client.renewal = login.keyId > 0
    const token = this.#tokens.judge(client, login.username, login.password.reveal(), this.#timeOrigin + now)
    // SRV-47
    if (token === 'refused') return { type: 'deny', answer: { type: 'session', message: 'the token ran out' } }
    if (this.#config.admission !== 'ask') return { type: 'allow' }
    // A good token says who it is, but not what whoever begins anew is given.
    if (token === 'accepted' && !this.#tokens.external && client.renewal) return { type: 'allow' }
    client.asking = true
    return { type: 'ask', event: this.#event(client, identity, login, token === 'accepted') }
  }

  /** The clients that a newcomer takes the place of: those of its name, and who has its own address by chance. SRV-24, SRV-41, SRV-42 */
  rivals(client: ServerClient, grant: Grant): readonly ServerClient[] {
    if (client.renewal) return []
    const name = this.nameFor(client, grant)
    const namesakes = name === undefined ? undefined : this.#table.byName(name)
    const rivals = new Set(this.#config.duplicateNames === true ? [] : namesakes)
    for (const holder of this.#holders(grant)) {
      // An address out of the pool goes to whoever it was meant for; one that was granted stays.
      if (namesakes?.has(holder) === true || holder.lease !== undefined) rivals.add(holder)
    }
    rivals.delete(client)
    return [...rivals]
  }

  /** Who has the addresses that are granted. */
  #holders({ ifconfig, ifconfigIpv6 }: Grant): readonly ServerClient[] {
    const four = parseIpv4Bytes(ifconfig?.local ?? '')
    const six = parseIpv6Bytes(ifconfigIpv6?.address ?? '')
    const holders = [
      four === undefined ? undefined : this.#router.ownerOf(four, 32),
      six === undefined ? undefined : this.#router.ownerOf(six, 128),
    ]
    return holders.filter((holder) => holder !== undefined)
  }

  /** What the client is pushed now that it is in; or why it cannot be let in. */
  admit(client: ServerClient, grant: Grant, now: number): PushConfig | string {
    const token = this.#tokens.issue(client, this.#timeOrigin + now)
    if (client.renewal) return { options: [], ...(token === undefined ? {} : { authToken: token }) }
    this.release(client)
    client.limits = limitsOf(grant)
    this.#table.rename(client, this.nameFor(client, grant))
    const routes = (grant.routes ?? []).map(parseNetwork)
    const bad = routes.indexOf(undefined)
    if (bad >= 0) return `${grant.routes?.[bad] ?? ''} is no network`
    const networks = routes as Network[]
    const policy = compilePolicy(grant, this.#config.device, now)
    if (typeof policy === 'string') return policy
    client.policy = policy
    const { vlan } = this.#config
    client.vlan = vlan === undefined ? 0 : (grant.vlan ?? vlan.pvid)
    if (vlan !== undefined && !isVlan(client.vlan)) return `${client.vlan} is no VLAN`
    const given = this.#give(client, grant)
    if (given === undefined) return 'no address is free'
    if (!this.#isPermitted(grant)) {
      this.release(client)
      return `${grant.ifconfig?.local ?? ''} is not of the network of ifconfig-push-constraint`
    }
    const badAddress = faultOf(given)
    if (badAddress !== undefined) {
      this.release(client)
      return `${badAddress} is no address`
    }
    const problem = this.#enter(client, given, networks)
    if (problem !== undefined) {
      this.release(client)
      return problem
    }
    client.addresses = {
      ...(given.ipv4 === undefined ? {} : { ipv4: given.ipv4.local }),
      ...(given.ipv6 === undefined ? {} : { ipv6: given.ipv6.address }),
    }
    return pushFor(this.#config, grant, given, networks, client.peerId, token)
  }

  /** Puts other limits on a client. @throws UsageError */
  restrict(client: ServerClient, limits: ClientLimits, now: number): void {
    const policy = compilePolicy(limits, this.#config.device, now)
    if (typeof policy === 'string') throw new UsageError(policy)
    client.limits = limits
    client.policy = policy
  }

  /** Gives a client of another server what it had there; false, and nothing is kept, when it is another client's here. */
  adopt(client: ServerClient, state: Pick<ClientState, 'addresses' | 'name' | 'networks' | 'vlan'>): boolean {
    const { addresses, name, networks } = state
    if (networks.some(({ network, prefix }) => this.#router.ownerOf(network, prefix) !== undefined)) return false
    this.#table.rename(client, name)
    client.vlan = state.vlan
    client.addresses = addresses
    client.lease = this.#pool.claim({ commonName: name ?? '', ...addresses })
    for (const { network, prefix } of networks) this.#router.add(client, network, prefix)
    return true
  }

  /** Takes back what the client was given. */
  release(client: ServerClient): void {
    this.#router.remove(client)
    if (client.lease !== undefined) this.#pool.release(client.lease.index)
    client.lease = undefined
    client.addresses = {}
  }

  /** SRV-26 */
  #isPermitted({ ifconfig }: Grant): boolean {
    const { pushConstraint } = this.#config
    const constraint = pushConstraint === undefined ? undefined : parseNetwork(pushConstraint)
    const address = parseIpv4Bytes(ifconfig?.local ?? '')
    if (constraint === undefined || address === undefined) return true
    return equalBytes(maskBytes(address, constraint.prefix), constraint.network)
  }

  /** The name that the client goes by with that grant. */
  nameFor(client: ServerClient, grant: Grant): string | undefined {
    const { commonName: certificate, username = '' } = client.identity ?? {}
    if (grant.name !== undefined) return grant.name
    if (username !== '' && (this.#config.usernameAsCommonName === true || certificate === undefined)) return username
    return certificate
  }

  #give(client: ServerClient, grant: Grant): GivenAddresses | undefined {
    const { ipv4, ipv6 } = this.#config.addresses
    const wants4 = grant.ifconfig === undefined && ipv4?.pool !== undefined
    const wants6 = grant.ifconfigIpv6 === undefined && ipv6?.poolFirst !== undefined
    if (wants4 || wants6) {
      client.lease = this.#lease(client)
      if (client.lease === undefined) return undefined
    }
    const four = grant.ifconfig ?? client.lease?.ipv4
    const six = grant.ifconfigIpv6 ?? client.lease?.ipv6
    return { ...(four === undefined ? {} : { ipv4: four }), ...(six === undefined ? {} : { ipv6: six }) }
  }

  /** A lease whose addresses nobody was granted by name. SRV-24 */
  #lease(client: ServerClient): LeasedAddresses | undefined {
    const skipped: number[] = []
    let lease: LeasedAddresses | undefined
    for (let tries = 0; tries <= this.#pool.size; tries++) {
      lease = this.#pool.acquire(client.name ?? '', client.name !== undefined && this.#config.duplicateNames !== true)
      if (lease === undefined || !this.#isTaken(lease)) break
      skipped.push(lease.index)
      lease = undefined
    }
    for (const index of skipped) this.#pool.release(index)
    return lease
  }

  #isTaken(lease: LeasedAddresses): boolean {
    const four = parseIpv4Bytes(lease.ipv4?.local ?? '')
    const six = parseIpv6Bytes(lease.ipv6?.address ?? '')
    return (
      (four !== undefined && this.#router.ownerOf(four, 32) !== undefined) ||
      (six !== undefined && this.#router.ownerOf(six, 128) !== undefined)
    )
  }

  /** Enters addresses and networks; a sentence when one belongs to another client. SRV-24, SRV-35 */
  #enter(client: ServerClient, given: GivenAddresses, networks: readonly Network[]): string | undefined {
    const four = parseIpv4Bytes(given.ipv4?.local ?? '')
    const six = parseIpv6Bytes(given.ipv6?.address ?? '')
    const own: Network[] = [
      ...(four === undefined ? [] : [{ network: four, prefix: 32 }]),
      ...(six === undefined ? [] : [{ network: six, prefix: 128 }]),
    ]
    for (const { network, prefix } of [...own, ...networks]) {
      if (this.#router.ownerOf(network, prefix) !== undefined) return 'one of its addresses belongs to another client'
      if (!this.#router.add(client, network, prefix)) return 'it has more networks than max-routes-per-client'
    }
    return undefined
  }

  #event(client: ServerClient, identity: Identity, login: SessionLogin, tokenAccepted: boolean): LoginEvent {
    return {
      type: 'login',
      renewal: client.renewal,
      address: client.address,
      commonName: identity.commonName,
      subject: login.peerSubject,
      certificates: login.certificates,
      username: login.username,
      password: login.password,
      tokenAccepted,
      keyMetadata: client.keyMetadata,
      peerInfo: login.peerInfo,
    }
  }
}

/** The verifier's name for the client's certificate; where it has no opinion the common name, if that is plain text. */
function nameOf(client: ServerClient, [leaf]: readonly Uint8Array[]): string | undefined {
  if (leaf === undefined) return undefined
  const named = client.nameOf(leaf)
  if (named !== undefined) return named
  const certificate = parseCertificate(leaf)
  const name = typeof certificate === 'string' ? undefined : commonName(certificate.subject)
  return name === undefined || /\p{Cc}/u.test(name) ? undefined : name
}

function sameIdentity(a: Identity, b: Identity): boolean {
  if (a.username !== b.username || a.commonName !== b.commonName) return false
  if (a.certificate === undefined || b.certificate === undefined) return a.certificate === b.certificate
  return equalBytes(a.certificate, b.certificate)
}

/** The first of the addresses that is none. */
function faultOf({ ipv4, ipv6 }: GivenAddresses): string | undefined {
  const wanted4 = ipv4 === undefined ? [] : [ipv4.local, ipv4.remoteOrNetmask]
  const wanted6 = ipv6 === undefined ? [] : [ipv6.address, ...(ipv6.remote === undefined ? [] : [ipv6.remote])]
  if (ipv6 !== undefined && !(Number.isInteger(ipv6.prefix) && ipv6.prefix >= 0 && ipv6.prefix <= 128)) {
    return `${ipv6.address}/${ipv6.prefix}`
  }
  return (
    wanted4.find((text) => parseIpv4Bytes(text) === undefined) ??
    wanted6.find((text) => parseIpv6Bytes(text) === undefined)
  )
}
