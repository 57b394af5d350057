/**
 * The system side of one tunnel: sets addresses, routes and names up as the options ask, and takes all of it back.
 *
 * Every change is noted in the journal before it is made. What cannot be done is told and the rest goes on: a tunnel with
 * one route too few is better than none. Spec: node.md.
 */
import type { TunnelOptions } from '../../control/index.ts'
import { findNameManager, hasNames, planDns, resolvLines } from './dns.ts'
import { abandonedJournals, Journal, type Undo } from './journal.ts'
import { hostRoute, planNetwork, type PlannedDevice, type Step, type Surroundings } from './plan.ts'
import { lookAround, type RunCommand, runCommand } from './system.ts'

/** What is left to the user. */
export interface NetworkSettings {
  /** `ifconfig-noexec`: addresses are somebody else's business. */
  readonly addresses: boolean
  /** `route-noexec`: routes are. */
  readonly routes: boolean
  /** Name servers are. */
  readonly names: boolean
}

/** News for the user, a line each. */
export interface NetworkNews {
  readonly level: 'info' | 'warning'
  readonly text: string
}

/** How a network is made. */
export interface NetworkOptions {
  readonly settings?: Partial<NetworkSettings>
  readonly tell: (news: NetworkNews) => void
  readonly run?: RunCommand
  /** Where the journal lies. */
  readonly directory?: string
}

/**
 * Undoes what processes that were killed have left behind in this network namespace; the number of commands run. NODE-10
 */
export function cleanLeftovers(options: Pick<NetworkOptions, 'run' | 'directory'> = {}): number {
  const { run = runCommand, directory } = options
  let count = 0
  for (const { commands, done } of abandonedJournals(directory)) {
    for (const command of commands) {
      run(command)
      count++
    }
    done()
  }
  return count
}

/** The network settings of one device. */
export class HostNetwork {
  readonly #device: PlannedDevice
  readonly #settings: NetworkSettings
  readonly #options: NetworkOptions
  readonly #run: RunCommand
  readonly #journal: Journal
  #around: Surroundings | undefined
  #redirected = false

  constructor(device: PlannedDevice, inherited: boolean, options: NetworkOptions) {
    this.#device = device
    this.#options = options
    this.#settings = { addresses: true, routes: true, names: true, ...options.settings }
    this.#run = options.run ?? runCommand
    this.#journal = new Journal(device.name, inherited, options.directory)
  }

  /** True between `up` and `down`. */
  get isUp(): boolean {
    return this.#around !== undefined
  }

  /**
   * Sets everything up.
   *
   * @param remote - the address that packets to the server go to, which stays reachable beside the tunnel.
   */
  up(options: TunnelOptions, remote: string | undefined): void {
    const around = lookAround(this.#run, remote)
    this.#around = around
    const plan = planNetwork(options, this.#device, around)
    if (this.#settings.addresses) for (const step of plan.addresses) this.#apply(step)
    if (this.#settings.routes) {
      for (const step of plan.routes) this.#apply(step)
      for (const text of plan.notes) this.#options.tell({ level: 'warning', text })
      this.#redirected = plan.routes.some(({ outlives }) => outlives)
    } else if (plan.routes.length > 0) {
      this.#options.tell({ level: 'info', text: `${plan.routes.length} routes are left to you (route-noexec)` })
    }
    if (hasNames(options.dns)) this.#names(options)
  }

  /** Keeps another address of the server reachable beside the tunnel, while the device is up between two sessions. */
  keepOutside(address: string): void {
    const around = this.#around
    if (around === undefined || !this.#redirected || around.remote?.address === address) return
    const way = address.includes(':') ? around.default6 : around.default4
    if (way === undefined) return
    this.#around = { ...around, remote: { address, way } }
    this.#apply(hostRoute(address, way))
  }

  /** Takes everything back, the newest first. NODE-8 */
  down(): void {
    for (const undo of [...this.#journal.undo].reverse()) {
      const { ok, complaint } = this.#run(undo.command)
      if (!ok) this.#options.tell({ level: 'warning', text: `${undo.command.join(' ')}: ${complaint}` })
      this.#journal.strike(undo)
    }
    this.#journal.close()
    this.#around = undefined
    this.#redirected = false
  }

  #apply({ apply, undo, outlives }: Step): void {
    this.#do([{ command: ['ip', ...apply] }], undo === undefined ? undefined : { command: ['ip', ...undo], outlives })
  }

  /** Runs commands whose common way back is noted first. */
  #do(
    steps: readonly { readonly command: readonly string[]; readonly input?: string }[],
    undo: Undo | undefined,
  ): boolean {
    if (undo !== undefined) this.#journal.note(undo)
    let done = false
    for (const { command, input } of steps) {
      const { ok, complaint } = this.#run(command, input)
      done ||= ok
      if (!ok) this.#options.tell({ level: 'warning', text: `${command.join(' ')}: ${complaint}` })
    }
    // What was there before is not ours to take away.
    if (!done && undo !== undefined) this.#journal.strike(undo)
    return done
  }

  /** NODE-9 NODE-15 */
  #names(options: TunnelOptions): void {
    const { dns, redirectGateway } = options
    const { tell } = this.#options
    const manager = this.#settings.names ? findNameManager(this.#run) : undefined
    if (manager === undefined) {
      const why = this.#settings.names ? 'neither systemd-resolved nor resolvconf is here' : 'left to you'
      tell({ level: 'info', text: `names: ${resolvLines(dns.servers, dns.searchDomains).join(', ')} (${why})` })
      return
    }
    const plan = planDns(dns, this.#device.name, redirectGateway !== undefined, manager)
    if (plan === undefined || (dns.servers.length > 0 && !plan.lines.some((line) => line.startsWith('nameserver')))) {
      tell({ level: 'warning', text: `names: ${manager} can use none of the servers that were pushed` })
    }
    if (plan === undefined) return
    // Settings of systemd-resolved belong to the device; a record of resolvconf does not.
    const undo = { command: plan.undo, outlives: manager === 'resolvconf' }
    if (this.#do(plan.apply, undo)) tell({ level: 'info', text: `names: ${plan.lines.join(', ')} (${manager})` })
  }
}
