/**
 * The reference's management interface on a unix socket: what it says, line by line, and commands to it.
 */
import { connect, type Socket } from 'node:net'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Lab } from './lab.ts'

/** Name of the socket in a laboratory's folder. */
const SOCKET = 'management.sock'

/** The line that makes the reference listen. */
export function managementLine(lab: Lab): string {
  return `management ${join(lab.folder, SOCKET)} unix`
}

/** A connection. */
export class Management {
  readonly #socket: Socket
  readonly #waiting = new Set<() => void>()
  #text = ''
  #from = 0

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setEncoding('utf8')
    socket.on('data', (data: string) => {
      this.#text += data
      for (const check of [...this.#waiting]) check()
    })
    socket.on('error', () => undefined)
  }

  /** Connects to the reference that was started with {@link managementLine}. */
  static async open(lab: Lab): Promise<Management> {
    const path = join(lab.folder, SOCKET)
    while (!existsSync(path)) await new Promise((resolve) => setTimeout(resolve, 20))
    return await new Promise((resolve, reject) => {
      const socket = connect(path)
      socket.once('error', reject)
      socket.once('connect', () => {
        resolve(new Management(socket))
      })
    })
  }

  /** Sends a command. */
  send(line: string): void {
    this.#socket.write(`${line}\n`)
  }

  /** Resolves with the match once `pattern` was said after what was matched last. */
  async said(pattern: RegExp, seconds = 15): Promise<RegExpExecArray> {
    return await new Promise((resolve, reject) => {
      const check = (): void => {
        const match = pattern.exec(this.#text.slice(this.#from))
        if (match === null) return
        this.#from += match.index + match[0].length
        clearTimeout(timer)
        this.#waiting.delete(check)
        resolve(match)
      }
      const timer = setTimeout(() => {
        this.#waiting.delete(check)
        reject(new Error(`management: ${String(pattern)} not said within ${seconds} s\n${this.#text}`))
      }, seconds * 1000)
      this.#waiting.add(check)
      check()
    })
  }

  close(): void {
    this.#socket.destroy()
  }
}
