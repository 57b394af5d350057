/**
 * Setting a network up and taking it back, on a system that only remembers what it was told; journals on a real disk.
 */
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { pullOptions, type TunnelOptions } from '../../../../src/control/index.ts'
import { cleanLeftovers, HostNetwork, type NetworkNews } from '../../../../src/node/tun/network.ts'
import type { RunCommand } from '../../../../src/node/tun/system.ts'

const ROUTES = JSON.stringify([{ dst: 'default', gateway: '192.168.1.1', dev: 'eth0', protocol: 'dhcp', metric: 100 }])
const WAY = JSON.stringify([{ dst: '203.0.113.9', gateway: '192.168.1.1', dev: 'eth0' }])

/** Remembers commands that change something, answers questions, fails where told to. */
class FakeSystem {
  readonly commands: string[] = []
  readonly inputs: string[] = []
  readonly failing = new Set<string>()
  readonly programs = new Set<string>()

  readonly run: RunCommand = (command, input = '') => {
    const line = command.join(' ')
    const fine = (output = ''): ReturnType<RunCommand> => ({ ok: true, complaint: '', output })
    if (line === 'ip -j -4 route show default') return fine(ROUTES)
    if (line.startsWith('ip -j -4 route get')) return fine(WAY)
    if (line.startsWith('ip -j')) return fine('[]')
    const [program = ''] = command
    if (program !== 'ip' && !this.programs.has(program)) {
      return { ok: false, complaint: `spawnSync ${program} ENOENT`, output: '' }
    }
    if (line === 'resolvectl status --no-pager' || line === 'resolvconf -l') return fine()
    this.commands.push(line)
    if (input !== '') this.inputs.push(input)
    return this.failing.has(line) ? { ok: false, complaint: 'RTNETLINK answers: File exists', output: '' } : fine()
  }
}

function options(...lines: readonly string[]): TunnelOptions {
  const more = ['topology subnet', 'ifconfig 10.8.0.2 255.255.255.0', 'route-gateway 10.8.0.1']
  const pulled = pullOptions([...more, ...lines], { device: 'tun' })
  if (pulled.type !== 'pulled') throw new Error('rejected')
  return pulled.options
}

describe('HostNetwork', () => {
  let directory: string
  let system: FakeSystem
  let news: NetworkNews[]

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'ovpn-journal-'))
    system = new FakeSystem()
    news = []
  })
  afterEach(() => {
    rmSync(directory, { recursive: true, force: true })
  })

  const network = (settings = {}, inherited = false): HostNetwork =>
    new HostNetwork({ name: 'tun0', kind: 'tun', mtu: 1500 }, inherited, {
      settings,
      tell: (line) => news.push(line),
      run: system.run,
      directory,
    })
  const journals = (): string[] => readdirSync(directory)

  /** As if the process that wrote the journals had been killed. */
  const kill = (): void => {
    for (const name of journals()) {
      const path = join(directory, name)
      const content = JSON.parse(readFileSync(path, 'utf8')) as object
      writeFileSync(path, JSON.stringify({ ...content, started: 'long ago' }), { mode: 0o600 })
    }
  }

  it('NODE-8 takes back what it did, the newest first, and leaves no journal', () => {
    const tunnel = network()
    tunnel.up(options('redirect-gateway def1'), '203.0.113.9')
    const done = system.commands.splice(0)
    expect(done.length).toBe(5)
    expect(journals().length).toBe(1)
    tunnel.down()
    expect(system.commands).toEqual(
      done
        .slice(1)
        .reverse()
        .map((line) => line.replace(' add ', ' del ').replace(' brd +', '')),
    )
    expect(journals()).toEqual([])
  })

  it('NODE-8 a change that fails is told and not taken back', () => {
    const there = 'ip -4 route add 128.0.0.0/1 via 10.8.0.1 dev tun0'
    system.failing.add(there)
    const tunnel = network()
    tunnel.up(options('redirect-gateway def1'), '203.0.113.9')
    expect(news).toEqual([{ level: 'warning', text: `${there}: RTNETLINK answers: File exists` }])
    system.commands.length = 0
    tunnel.down()
    expect(system.commands).not.toContain(there.replace(' add ', ' del '))
    expect(system.commands.length).toBe(3)
  })

  it('NODE-6 a further address of the server gets its host route while the device is up, and loses it with it', () => {
    const tunnel = network()
    tunnel.up(options('redirect-gateway def1'), '203.0.113.9')
    tunnel.keepOutside('203.0.113.9')
    tunnel.keepOutside('203.0.113.10')
    const route = 'ip -4 route add 203.0.113.10/32 via 192.168.1.1 dev eth0'
    expect(system.commands.filter((line) => line.includes('/32'))).toEqual([route.replace('.10', '.9'), route])
    tunnel.down()
    expect(system.commands).toContain(route.replace(' add ', ' del '))
  })

  it('leaves addresses and routes alone where it is told to', () => {
    network({ addresses: false, routes: false }).up(options('redirect-gateway def1'), '203.0.113.9')
    expect(system.commands).toEqual([])
    expect(news[0]?.text).toMatch(/3 routes are left to you/)
  })

  it('NODE-9 names go to resolvconf, and to systemd-resolved before it', () => {
    const names = ['dhcp-option DNS 10.8.0.1', 'dhcp-option DOMAIN-SEARCH lan.example', 'redirect-gateway def1']
    system.programs.add('resolvconf')
    const tunnel = network()
    tunnel.up(options(...names), '203.0.113.9')
    expect(system.commands.at(-1)).toBe('resolvconf -a tun0.ovpn')
    expect(system.inputs).toEqual(['nameserver 10.8.0.1\nsearch lan.example\n'])
    tunnel.down()
    expect(system.commands).toContain('resolvconf -d tun0.ovpn')

    system.programs.add('resolvectl')
    system.commands.length = 0
    tunnel.up(options(...names), '203.0.113.9')
    expect(system.commands.slice(-2)).toEqual(['resolvectl dns tun0 10.8.0.1', 'resolvectl domain tun0 lan.example ~.'])
    tunnel.down()
    expect(system.commands).toContain('resolvectl revert tun0')
  })

  it('NODE-15 the first entry that the manager can express is used', () => {
    const names = [
      'dns server 1 address 10.8.0.1',
      'dns server 1 transport DoH',
      'dns server 1 sni doh.example',
      'dns server 2 address 10.8.0.2:853',
      'dns server 2 transport DoT',
      'dns server 2 sni dot.example',
      'dns server 3 address 10.8.0.3:5353 10.8.0.4',
      'dns server 3 resolve-domains corp.example',
      'dns server 4 address 10.8.0.5',
      'redirect-gateway def1',
    ]
    system.programs.add('resolvconf')
    const tunnel = network()
    tunnel.up(options(...names), '203.0.113.9')
    expect(system.inputs).toEqual(['nameserver 10.8.0.4\n'])
    tunnel.down()
    system.programs.add('resolvectl')
    system.commands.length = 0
    tunnel.up(options(...names), '203.0.113.9')
    expect(system.commands.filter((line) => line.startsWith('resolvectl '))).toEqual([
      'resolvectl dns tun0 10.8.0.2:853#dot.example',
      'resolvectl domain tun0 ~.',
      'resolvectl dnsovertls tun0 yes',
    ])
    tunnel.down()
    news.length = 0
    system.commands.length = 0
    tunnel.up(options(...names.slice(0, 3)), undefined)
    expect(system.commands.filter((line) => line.startsWith('resolvectl '))).toEqual([])
    expect(news).toEqual([
      { level: 'warning', text: 'names: systemd-resolved can use none of the servers that were pushed' },
    ])
  })

  it('NODE-9 names are shown where nobody manages them', () => {
    network().up(options('dhcp-option DNS 10.8.0.1'), undefined)
    expect(news).toEqual([
      { level: 'info', text: 'names: nameserver 10.8.0.1 (neither systemd-resolved nor resolvconf is here)' },
    ])
  })

  it('NODE-10 what a killed process left is undone at the next start, without what went with its device', () => {
    system.programs.add('resolvconf')
    network().up(options('redirect-gateway', 'dhcp-option DNS 10.8.0.1'), '203.0.113.9')
    expect(cleanLeftovers({ run: system.run, directory })).toBe(0)
    kill()
    system.commands.length = 0
    expect(cleanLeftovers({ run: system.run, directory })).toBe(3)
    expect(system.commands).toEqual([
      'resolvconf -d tun0.ovpn',
      'ip -4 route add default via 192.168.1.1 dev eth0 proto dhcp metric 100',
      'ip -4 route del 203.0.113.9/32 via 192.168.1.1 dev eth0',
    ])
    expect(journals()).toEqual([])
  })

  it('NODE-10 the ways back are on disk before the changes', () => {
    const seen: number[] = []
    const tunnel = new HostNetwork({ name: 'tun0', kind: 'tun', mtu: 1500 }, false, {
      tell: () => undefined,
      directory,
      run: (command, input) => {
        const line = command.join(' ')
        if (/ (route|addr) (add|del) /.test(line)) {
          const [name = ''] = journals()
          const { undo } = JSON.parse(readFileSync(join(directory, name), 'utf8')) as { undo: { command: string[] }[] }
          const last = undo.at(-1)?.command.join(' ') ?? ''
          const way = line.includes(' add ')
            ? line.replace(' add ', ' del ').replace(' brd +', '')
            : line.replace(' del ', ' add ')
          expect(last).toBe(way)
          seen.push(undo.length)
        }
        return system.run(command, input)
      },
    })
    tunnel.up(options('redirect-gateway'), '203.0.113.9')
    expect(seen).toEqual([1, 2, 3, 4])
  })

  it('NODE-11 journals that others could have written are not carried out', () => {
    network().up(options('redirect-gateway'), '203.0.113.9')
    kill()
    const [name = ''] = journals()
    const path = join(directory, name)
    const whole = readFileSync(path, 'utf8')
    system.commands.length = 0

    chmodSync(path, 0o622)
    expect(cleanLeftovers({ run: system.run, directory })).toBe(0)
    chmodSync(path, 0o600)
    chmodSync(directory, 0o777)
    expect(cleanLeftovers({ run: system.run, directory })).toBe(0)
    chmodSync(directory, 0o700)
    writeFileSync(path, whole.replace('"ip"', '"sh"'))
    expect(cleanLeftovers({ run: system.run, directory })).toBe(0)
    writeFileSync(path, whole.slice(0, 40))
    expect(cleanLeftovers({ run: system.run, directory })).toBe(0)
    expect(system.commands).toEqual([])

    writeFileSync(path, whole)
    expect(cleanLeftovers({ run: system.run, directory })).toBe(2)
  })
})
