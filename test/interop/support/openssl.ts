/**
 * The openssl program as a TLS peer: `s_server` and `s_client` over Unix sockets, of this machine's OpenSSL and, where the
 * 2.7 reference is unpacked, of the library that came with it, which knows the post-quantum groups.
 *
 * Ours is a `TlsConnection` on a socket of Node. What both sides say about a connection is returned for comparison.
 */
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { CryptoProvider } from '../../../src/crypto/index.ts'
import { type TlsConfig, TlsConnection, type TlsInfo } from '../../../src/tls/index.ts'
import { SeededRandom } from '../../support/random.ts'
import { type Running, watch } from './lab.ts'

/** An openssl program, ready to start. */
export interface OpensslProgram {
  /** Version of its library, such as `3.0.19`. */
  readonly version: string
  /** True for a library that has X25519MLKEM768. */
  readonly hybrid: boolean
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

const REFERENCE = fileURLToPath(new URL('../../../.reference/2.7', import.meta.url))

function candidates(): readonly Pick<OpensslProgram, 'command' | 'env'>[] {
  const own = { command: ['openssl'], env: {} }
  const libraries = ['lib', 'usr/lib'].map((name) => join(REFERENCE, name, 'x86_64-linux-gnu')).filter(existsSync)
  const loader = libraries
    .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
    .find((path) => path.endsWith('/ld-linux-x86-64.so.2'))
  const program = '/usr/bin/openssl'
  if (loader === undefined || !existsSync(program)) return [own]
  const env = { OPENSSL_CONF: join(REFERENCE, 'etc/ssl/openssl.cnf') }
  return [own, { command: [loader, '--library-path', libraries.join(':'), program], env }]
}

function describeProgram(start: Pick<OpensslProgram, 'command' | 'env'>): OpensslProgram[] {
  const [path, ...args] = start.command
  try {
    const text = execFileSync(path!, [...args, 'version'], { encoding: 'utf8', env: { ...process.env, ...start.env } })
    const version = /Library: OpenSSL (\S+)/.exec(text)?.[1] ?? /OpenSSL (\S+)/.exec(text)?.[1]
    if (version === undefined) return []
    const [major = 0, minor = 0] = version.split('.').map(Number)
    return [{ version, hybrid: major > 3 || (major === 3 && minor >= 5), ...start }]
  } catch {
    return []
  }
}

/** Every openssl on this machine; empty where there is none. */
export const OPENSSL_PROGRAMS: readonly OpensslProgram[] = candidates().flatMap(describeProgram)

/** Key, certificate and CA of the openssl side, as PEM. */
export interface PeerFiles {
  readonly certificate: string
  readonly key: string
  readonly ca: string
}

/** What our side of one connection saw. */
export interface OurSide {
  readonly info: TlsInfo
  /** Everything the peer said. */
  readonly received: string
  /** Keying material under `EXPORT_LABEL`, in hex capitals. */
  readonly exported: string
  /** Signatures that the host was asked for. */
  readonly asked: number
}

/** How our side is driven. */
export interface Drive {
  readonly config: TlsConfig
  readonly crypto: CryptoProvider
  readonly seed: string
  /** Makes the signatures of an external key. */
  readonly sign?: (scheme: string, message: Uint8Array) => Uint8Array
  /** What is said once connected, and when the peer has said enough. */
  readonly say: string
  readonly enough: (received: string) => boolean
}

/** Label of the keying material that both sides export. */
export const EXPORT_LABEL = 'EXPORTER-OpenVPN-datakeys'
const EXPORT_LENGTH = 32

/** Runs one connection on a socket until the peer has said enough; rejects with the reason when it ends before. */
export function drive(socket: Socket, { config, crypto, seed, sign, say, enough }: Drive): Promise<OurSide> {
  const random = new SeededRandom(`openssl/${seed}`).source
  const engine = new TlsConnection(config, { unixTime: Date.now(), random, crypto })
  return new Promise((resolve, reject) => {
    let info: TlsInfo | undefined
    let exported: Uint8Array = new Uint8Array()
    let received = ''
    let asked = 0
    const drain = (): void => {
      for (let output = engine.poll(); output !== undefined; output = engine.poll()) {
        switch (output.type) {
          case 'transmit':
            socket.write(output.data)
            break
          case 'connected':
            info = output.info
            exported = engine.exportKeyingMaterial(EXPORT_LABEL, undefined, EXPORT_LENGTH)
            engine.write(new Uint8Array(Buffer.from(say)))
            break
          case 'data':
            received += Buffer.from(output.data).toString('latin1')
            if (info !== undefined && enough(received)) finish(info)
            break
          case 'signature-needed': {
            // The holder answers in a later turn, as a device would.
            const { scheme, message } = output
            asked++
            setImmediate(() => {
              guarded(() => {
                engine.provideSignature(sign!(scheme, message))
                drain()
              })
            })
            break
          }
          case 'key-log':
          case 'session':
            break
          case 'closed':
            reject(new Error(JSON.stringify(output.reason)))
        }
      }
    }
    const finish = (info: TlsInfo): void => {
      resolve({ info, received, exported: Buffer.from(exported).toString('hex').toUpperCase(), asked })
      engine.close()
      for (let output = engine.poll(); output !== undefined; output = engine.poll()) {
        if (output.type === 'transmit') socket.write(output.data)
      }
      socket.end()
    }
    const guarded = (work: () => void): void => {
      try {
        work()
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)))
        socket.destroy()
      }
    }
    socket.on('data', (bytes: Buffer) => {
      guarded(() => {
        engine.receive(bytes, Date.now())
        drain()
      })
    })
    socket.on('error', reject)
    socket.on('close', () => {
      reject(new Error('the connection ended'))
    })
    guarded(() => {
      engine.start()
      drain()
    })
  })
}

/** A folder with the peer's files and a socket, and the openssl processes on it. */
export class OpensslPeer {
  readonly #program: OpensslProgram
  readonly #folder = mkdtempSync(join(tmpdir(), 'ovpn-openssl-'))
  readonly #running: Running[] = []
  readonly #socket = join(this.#folder, 'socket')

  constructor(program: OpensslProgram, files: PeerFiles) {
    this.#program = program
    for (const [name, text] of Object.entries(files)) {
      writeFileSync(join(this.#folder, `${name}.pem`), text as string, { mode: 0o600 })
    }
  }

  #start(mode: 's_server' | 's_client', args: readonly string[]): Running {
    const [path, ...leading] = this.#program.command
    const files = ['-cert', 'certificate.pem', '-key', 'key.pem', '-CAfile', 'ca.pem', '-verify_return_error']
    const material = ['-keymatexport', EXPORT_LABEL, '-keymatexportlen', `${EXPORT_LENGTH}`]
    const child = spawn(path!, [...leading, mode, '-unix', this.#socket, ...files, ...material, ...args], {
      cwd: this.#folder,
      env: { ...process.env, ...this.#program.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    const running = watch(`openssl ${mode}`, child)
    this.#running.push(running)
    return running
  }

  /** Starts `s_server`, which asks for a certificate and answers HTTP requests with a page about the connection. */
  async serve(...args: readonly string[]): Promise<void> {
    await this.#start('s_server', ['-www', '-Verify', '2', ...args]).seen(/ACCEPT/)
  }

  /** Our client on the running `s_server`. */
  async connect(how: Drive): Promise<OurSide> {
    const socket = connect(this.#socket)
    return await drive(socket, how)
  }

  /** One `s_client` on our server: what we saw, and what it printed. */
  async accept(how: Drive, ...args: readonly string[]): Promise<{ ours: OurSide; printed: string }> {
    const server = createServer()
    try {
      await new Promise<void>((done) => server.listen(this.#socket, done))
      const side = new Promise<OurSide>((done, failed) => {
        server.once('connection', (socket) => {
          drive(socket, how).then(done, failed)
        })
      })
      const client = this.#start('s_client', ['-verify', '2', ...args])
      client.process.stdin?.write('from openssl\n')
      const ended = client.ended()
      const ours = await Promise.race([
        side,
        ended.then(({ output }) =>
          side.catch((error: unknown) => Promise.reject(new Error(`${String(error)}\n${output}`))),
        ),
      ])
      return { ours, printed: (await ended).output }
    } finally {
      server.close()
      rmSync(this.#socket, { force: true })
    }
  }

  /** Ends every process and removes the folder. */
  async close(): Promise<void> {
    for (const running of this.#running) running.kill('SIGKILL')
    await Promise.all(this.#running.map((running) => running.ended(5).catch(() => undefined)))
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
