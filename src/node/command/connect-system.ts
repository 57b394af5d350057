/**
 * The inner side of `ovpn connect` on the system: a device, its addresses, routes and names, and the packets' way to it.
 */
import type { TunnelOptions } from '../../control/index.ts'
import type { ClientDriver, LinkOpener } from '../client-driver.ts'
import {
  HostNetwork,
  joinOptions,
  type NetworkNews,
  type NetworkSettings,
  openTun,
  PacketLane,
  type TunDevice,
} from '../tun/index.ts'
import { runCommand, type RunCommand } from '../tun/system.ts'
import type { ConnectPlan } from './connect-plan.ts'

/** Where a connection's packets come from and go to. */
export interface InnerSide {
  /** What it is, in a few words. */
  readonly name: string
  /** Opens the client's sockets. */
  readonly open: LinkOpener
  attach(driver: ClientDriver): void
  /** Looks, before anybody is called, whether it will be able to do its work; resolves with why not. */
  prepare?(): Promise<string | undefined>
  /** A packet that came through the tunnel. */
  deliver(packet: Uint8Array): void
  /** Sets up what the tunnel's options ask for; anew, when it was up before. */
  up(options: TunnelOptions): void
  /** Takes it back. */
  down(): void
  /** Takes everything back and closes. */
  close(): void
}

/** Where an inner side's news go. */
export interface InnerSideNews {
  readonly tell: (news: NetworkNews) => void
  /** It can't do its work: the command ends. */
  readonly fail: (text: string) => void
}

/** Default MTU of a tunnel. */
const MTU = 1500

/** A tun or tap device. */
export class SystemSide implements InnerSide {
  readonly name: string
  readonly #plan: ConnectPlan
  readonly #device: TunDevice
  readonly #lane: PacketLane
  readonly #makeNetwork: (mtu: number) => HostNetwork
  #network: HostNetwork | undefined
  /** The address that packets to the server go to. */
  #remote: string | undefined

  /** @throws UsageError when there can be no device. */
  constructor(
    plan: ConnectPlan,
    fd: number | undefined,
    settings: NetworkSettings,
    verb: number,
    tell: (news: NetworkNews) => void,
  ) {
    this.#plan = plan
    this.#device = openTun({ ...plan.device, fd })
    this.#lane = new PacketLane(plan.client)
    const { name, kind, inherited } = this.#device
    this.name = name
    const { txQueueLength } = plan
    const run: RunCommand = (command, input) => {
      if (verb >= 3 && !command.includes('-j')) tell({ level: 'info', text: command.join(' ') })
      return runCommand(command, input)
    }
    this.#makeNetwork = (mtu) => new HostNetwork({ name, kind, mtu, txQueueLength }, inherited, { settings, tell, run })
  }

  readonly open: LinkOpener = (request, sinks) => {
    this.#remote = request.address
    this.#network?.keepOutside(request.address)
    return this.#lane.open(request, sinks)
  }

  attach(driver: ClientDriver): void {
    this.#lane.attach(driver)
    this.#lane.carry(this.#device)
  }

  deliver(packet: Uint8Array): void {
    this.#lane.deliver(packet)
  }

  up(pushed: TunnelOptions): void {
    this.#network?.down()
    const options = joinOptions(this.#plan.local, pushed)
    this.#network = this.#makeNetwork(options.mtu ?? this.#plan.mtu ?? MTU)
    this.#network.up(options, this.#remote)
  }

  down(): void {
    this.#network?.down()
    this.#network = undefined
  }

  close(): void {
    this.down()
    this.#device.close()
  }
}
