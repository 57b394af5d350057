/**
 * Names through the tunnel: an address as it stands, a line of the machine's hosts file, or an answer of the name servers
 * that were pushed. Nothing is asked beside the tunnel.
 */
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseIpv4Bytes, parseIpv6Bytes } from '../../control/index.ts'
import type { RandomSource } from '../../crypto/index.ts'
import { readAnswer, RECORD, writeQuestion } from './dns.ts'
import type { Stack } from './stack.ts'

/** Patience with one server, in ms; each is asked twice. */
const PATIENCE = 2000
const ROUNDS = 2
const DNS_PORT = 53

/** Resolves over a stack. */
export class Resolver {
  readonly #stack: Stack
  readonly #random: RandomSource
  readonly #hosts: string
  #servers: readonly Uint8Array[] = []

  constructor(stack: Stack, random: RandomSource, hosts = '/etc/hosts') {
    this.#stack = stack
    this.#random = random
    this.#hosts = hosts
  }

  /** The name servers from now on. */
  use(servers: readonly string[]): void {
    this.#servers = servers.map(toAddress).filter((address) => address !== undefined)
  }

  /** Addresses of a name, IPv4 first; empty when there are none. */
  async resolve(name: string): Promise<readonly Uint8Array[]> {
    const literal = toAddress(name)
    if (literal !== undefined) return [literal]
    const known = this.#fromHosts(name)
    if (known.length > 0) return known
    const [ipv4, ipv6] = await Promise.all([this.#lookUp(name, RECORD.a), this.#lookUp(name, RECORD.aaaa)])
    return [...ipv4, ...ipv6]
  }

  #fromHosts(name: string): readonly Uint8Array[] {
    const lines = readText(this.#hosts)
      .split('\n')
      .map((line) => line.replace(/#.*/, '').trim().split(/\s+/))
    const fitting = lines.filter(([, ...names]) => names.some((one) => one.toLowerCase() === name.toLowerCase()))
    return fitting.map(([address = '']) => toAddress(address)).filter((address) => address !== undefined)
  }

  async #lookUp(name: string, type: number): Promise<readonly Uint8Array[]> {
    // An address of a family that the tunnel does not carry is of no use.
    if (!this.#stack.reaches(new Uint8Array(type === RECORD.a ? 4 : 16))) return []
    for (let round = 0; round < ROUNDS; round++) {
      for (const server of this.#servers) {
        const answer = await this.#ask(server, name, type)
        if (answer !== undefined) return answer
      }
    }
    return []
  }

  async #ask(server: Uint8Array, name: string, type: number): Promise<readonly Uint8Array[] | undefined> {
    const [high = 0, low = 0] = this.#random(2)
    const question = writeQuestion((high << 8) | low, name, type)
    if (question === undefined) return []
    const stop = new AbortController()
    let found: readonly Uint8Array[] | undefined
    const id = this.#stack.ask(server, DNS_PORT, question, (message) => {
      found = readAnswer(message, question)
      if (found !== undefined) stop.abort()
    })
    if (id === undefined) return undefined
    await sleep(PATIENCE, undefined, { signal: stop.signal }).catch(() => undefined)
    this.#stack.forget(id)
    return found
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function toAddress(text: string): Uint8Array | undefined {
  return parseIpv4Bytes(text) ?? parseIpv6Bytes(text)
}
