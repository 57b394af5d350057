/**
 * A pair of configurations drawn from a seed: a server of one release of the reference, and a client that fits it, or that
 * fails it in one known way.
 *
 * Each aspect of a tunnel (transport, wrap, certificates, ciphers, …) is drawn by a function of its own that adds lines to both
 * ends. Combinations that a release refuses itself are not drawn.
 */
import { SeededRandom } from '../../../support/random.ts'
import type { KeyTexts } from '../../../../src/decode/index.ts'
import { PORT } from '../configs.ts'
import type { Release } from '../reference.ts'
import { drawLooseness, type Block, type Line, line, spell, type Spelled } from './spelling.ts'
import { drawCompression, drawCiphers, drawSizes } from './draw-data.ts'
import { drawIdentity } from './draw-identity.ts'
import { drawLife, drawMisfit, drawOddments, drawPushed } from './draw-life.ts'
import { drawTls, drawTransport, drawWrap } from './draw-link.ts'
import { drawPair } from './draw-pair.ts'

/** The server's address as the client sees it. */
export const SERVER4 = '172.16.1.1'
export const SERVER6 = 'fd99:1::1'
/** Where nobody answers. */
export const NOBODY = '172.16.1.77'

/** A pair of configurations, ready to run. */
export interface Draw {
  readonly seed: string
  readonly release: Release
  /** What was drawn, for statistics and failures. */
  readonly tags: readonly string[]
  readonly server: Spelled
  readonly client: Spelled
  /** Files of the server that no directive holds: scripts, settings of one client. */
  readonly extras: ReadonlyMap<string, string>
  readonly transport: 'udp' | 'tcp'
  readonly port: number
  /** What opens the control packets. */
  readonly keys: KeyTexts
  /** Arguments of the probe. */
  readonly args: readonly string[]
  /** Whether the two fit each other; if not, the reason words of which ours must give one. */
  readonly fate: 'up' | readonly string[]
  /** Address that answers inside. */
  readonly gateway: string
}

/** What the aspects write into while a draw is made. */
export class Plan {
  readonly random: SeededRandom
  readonly release: Release
  readonly tags: string[] = []
  readonly server: (Line | Block)[] = []
  readonly client: (Line | Block)[] = []
  readonly extras = new Map<string, string>()
  readonly args: string[] = []
  fate: 'up' | readonly string[] = 'up'
  transport: 'udp' | 'tcp' = 'udp'
  port = PORT
  keys: KeyTexts = {}
  device: 'tun' | 'tap' = 'tun'
  gateway = '10.8.0.1'
  /** Largest packet inside. */
  mtu = 1500
  /** Digest of `auth`, once one is drawn. */
  digest: string | undefined

  constructor(seed: string, release: Release) {
    this.random = new SeededRandom(`${release}/${seed}`)
    this.release = release
  }

  /** One of the items; what was taken is noted. */
  pick<T extends string>(what: string, items: readonly T[]): T {
    const taken = this.random.pick(items)
    this.tags.push(`${what}=${taken}`)
    return taken
  }

  chance(what: string, probability: number): boolean {
    const taken = this.random.chance(probability)
    if (taken) this.tags.push(what)
    return taken
  }

  both(...texts: readonly string[]): void {
    this.onServer(...texts)
    this.onClient(...texts)
  }

  onServer(...texts: readonly string[]): void {
    this.server.push(...texts.map(line))
  }

  onClient(...texts: readonly string[]): void {
    this.client.push(...texts.map(line))
  }

  /** On one end or the other. */
  either(text: string): void {
    if (this.random.chance(0.5)) this.onServer(text)
    else this.onClient(text)
  }

  push(option: string): void {
    this.server.push({ words: ['push', option] })
  }
}

/** Draws a pair for a release. */
export function draw(seed: string, release: Release): Draw {
  const plan = new Plan(seed, release)
  if (plan.chance('pair', 0.06)) {
    drawPair(plan)
  } else {
    plan.onServer('verb 3', 'dev tun0')
    plan.onClient('client')
    drawTransport(plan)
    drawWrap(plan)
    drawNetwork(plan)
    drawIdentity(plan)
    drawTls(plan)
    drawCiphers(plan)
    drawCompression(plan)
    drawSizes(plan)
    drawPushed(plan)
    drawLife(plan)
    drawOddments(plan)
    if (plan.random.chance(0.15)) drawMisfit(plan)
  }
  return {
    seed,
    release,
    tags: plan.tags,
    server: spell(plan.random.fork('server'), plan.server, {
      inline: 1,
      loose: false,
      lineEnd: '\n',
      byteOrderMark: false,
      folder: '',
    }),
    client: spell(
      plan.random.fork('client'),
      plan.random.chance(0.3)
        ? shuffled(plan)
        : plan.client.filter((item) => !('block' in item)).concat(plan.client.filter((item) => 'block' in item)),
      drawLooseness(plan.random),
    ),
    extras: plan.extras,
    transport: plan.transport,
    port: plan.port,
    keys: plan.keys,
    args: plan.args,
    fate: plan.fate,
    gateway: plan.gateway,
  }
}

/**
 * The client's lines in another order. Some look at those before them, remotes are tried in their order, and a block takes
 * over only what stands before it.
 */
function shuffled(plan: Plan): (Line | Block)[] {
  const isBlock = (item: Line | Block): boolean => 'block' in item
  const keeps = (item: Line | Block): boolean =>
    !('block' in item) &&
    (item.plain === true ||
      /^(remote|proto|client|port|rport|lport|setenv|ignore-unknown-option)$/.test(item.words[0] ?? ''))
  const others = plan.client.filter((item) => !isBlock(item) && !keeps(item))
  return [...plan.client.filter(keeps), ...plan.random.shuffle(others), ...plan.client.filter(isBlock)]
}

/** Device, addresses and how clients get theirs. */
function drawNetwork(plan: Plan): void {
  const { random } = plan
  plan.device = plan.pick('dev', ['tun', 'tun', 'tun', 'tun', 'tun', 'tap'])
  plan.onServer(`dev-type ${plan.device}`)
  plan.onClient(
    plan
      .pick('client-dev', [`dev ${plan.device}`, `dev ${plan.device}5`, `dev vpn0\ndev-type ${plan.device}`])
      .split('\n')[0]!,
  )
  const named = plan.client.at(-1) as Line
  if (named.words[1] === 'vpn0') plan.onClient(`dev-type ${plan.device}`)
  const topology = plan.device === 'tap' ? '' : plan.pick('topology', ['subnet', 'subnet', 'net30', 'p2p', ''])
  if (topology !== '') plan.onServer(`topology ${topology}`)
  const how = plan.pick('pool', ['server', 'server', 'server', 'pool', 'by-hand', 'ccd'])
  if (how === 'by-hand' && plan.device === 'tun' && topology === 'subnet') {
    plan.onServer('mode server', 'tls-server', 'ifconfig 10.8.0.1 255.255.255.0')
    plan.onServer('ifconfig-pool 10.8.0.100 10.8.0.200 255.255.255.0')
    plan.push('topology subnet')
    if (plan.chance('no-gateway', 0.4)) plan.args.push('--ping', '10.8.0.1')
    else plan.push('route-gateway 10.8.0.1')
  } else if (how === 'pool') {
    plan.onServer('server 10.8.0.0 255.255.255.0 nopool')
    plan.onServer(
      `ifconfig-pool 10.8.0.100 10.8.0.200${plan.device === 'tap' || topology === 'subnet' ? ' 255.255.255.0' : ''}`,
    )
  } else if (how === 'ccd') {
    plan.onServer('server 10.8.0.0 255.255.255.0', 'client-config-dir ccd')
    const second =
      plan.device === 'tap' || topology === 'subnet' || (topology === '' && plan.release === '2.7')
        ? '255.255.255.0'
        : topology === 'p2p'
          ? '10.8.0.1'
          : '10.8.0.10'
    const address = second === '10.8.0.10' ? '10.8.0.9' : '10.8.0.77'
    plan.extras.set('ccd/client', `ifconfig-push ${address} ${second}\npush "route 10.77.0.0 255.255.0.0"\n`)
  } else {
    plan.onServer(`server 10.8.0.0 ${random.pick(['255.255.255.0', '255.255.0.0', '255.255.255.192'])}`)
  }
  if (how !== 'pool' && plan.chance('ipv6', 0.3)) {
    plan.onServer('server-ipv6 fd00:8::/64')
    if (how !== 'ccd' && plan.chance('ping6', 0.5) && !plan.args.includes('--ping'))
      plan.args.push('--ping', 'fd00:8::1')
  }
  if (plan.chance('duplicate-cn', 0.05) && how !== 'ccd') plan.onServer('duplicate-cn')
}
