/**
 * The inner side of `ovpn connect --socks`: no device and no privilege, but a proxy on this machine whose connections go
 * through the tunnel, over a TCP/IP of our own.
 */
import { once } from 'node:events'
import { createServer } from 'node:net'
import { CommandLineError } from './io.ts'
import type { TunnelOptions } from '../../control/index.ts'
import type { RandomSource } from '../../crypto/index.ts'
import type { ClientDriver, LinkOpener } from '../client-driver.ts'
import { joinOptions, PacketLane, usableServer } from '../tun/index.ts'
import { addressBytes } from './plan.ts'
import { StackDevice } from '../userspace/device.ts'
import { ProxyFront } from '../userspace/front.ts'
import { Resolver } from '../userspace/resolver.ts'
import type { ConnectPlan } from './connect-plan.ts'
import type { InnerSide, InnerSideNews } from './connect-system.ts'

/** Default MTU of a tunnel. */
const MTU = 1500

/** A proxy instead of a device. */
export class SocksSide implements InnerSide {
  readonly name: string
  readonly #plan: ConnectPlan
  readonly #device: StackDevice
  readonly #lane: PacketLane
  readonly #resolver: Resolver
  readonly #front: ProxyFront
  readonly #port: number
  readonly #news: InnerSideNews
  #listening = false

  /** @throws CommandLineError for a tap profile: the stack speaks IP, not Ethernet. */
  constructor(plan: ConnectPlan, port: number, random: RandomSource, news: InnerSideNews) {
    if (plan.device.kind === 'tap') throw new CommandLineError('--socks carries IP packets; this profile wants tap')
    this.name = `socks 127.0.0.1:${port}`
    this.#plan = plan
    this.#port = port
    this.#news = news
    this.#device = new StackDevice(random)
    this.#lane = new PacketLane(plan.client)
    this.#resolver = new Resolver(this.#device.stack, random)
    const resolve = (name: string): Promise<readonly Uint8Array[]> => this.#resolver.resolve(name)
    this.#front = new ProxyFront(this.#device.stack, resolve, () => {
      this.#device.arm()
    })
  }

  readonly open: LinkOpener = (request, sinks) => this.#lane.open(request, sinks)

  attach(driver: ClientDriver): void {
    this.#lane.attach(driver)
    this.#lane.carry(this.#device)
  }

  /** A second proxy on the port would only be found out about when its client has taken the first one's place at the server. */
  async prepare(): Promise<string | undefined> {
    const server = createServer()
    try {
      await once(server.listen(this.#port, '127.0.0.1'), 'listening')
      server.close()
      return undefined
    } catch (error) {
      return refusal(error)
    }
  }

  deliver(packet: Uint8Array): void {
    this.#lane.deliver(packet)
  }

  up(pushed: TunnelOptions): void {
    const options = joinOptions(this.#plan.local, pushed)
    const { ipv4, ipv6, mtu, dns } = options
    this.#device.stack.configure({
      ipv4: addressBytes(ipv4?.address ?? ''),
      ipv6: addressBytes(ipv6?.address ?? ''),
      mtu: mtu ?? this.#plan.mtu ?? MTU,
    })
    const servers = (usableServer(dns, 'plain')?.addresses ?? []).map(({ address }) => address)
    this.#resolver.use(servers)
    if (servers.length === 0) {
      this.#news.tell({
        level: 'info',
        text: 'no name server that can be asked was pushed: only addresses and names of the hosts file work',
      })
    }
    if (!this.#listening) void this.#listen()
  }

  /** The proxy stays; its connections wait for the next tunnel. */
  down(): void {
    this.#device.arm()
  }

  close(): void {
    this.#front.close()
    this.#device.close()
  }

  async #listen(): Promise<void> {
    this.#listening = true
    try {
      const port = await this.#front.listen(this.#port)
      const text = `proxy on 127.0.0.1:${port}: SOCKS5 and HTTP CONNECT, TCP only, over a small TCP/IP of this program`
      this.#news.tell({ level: 'info', text })
    } catch (error) {
      this.#news.fail(refusal(error))
    }
  }
}

function refusal(error: unknown): string {
  return `the proxy can't be opened: ${error instanceof Error ? error.message : String(error)}`
}
