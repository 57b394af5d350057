/**
 * Recordings of whole sessions with another implementation, run again: what they came to, and the bytes that left.
 */
import { readFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import type { CryptoProvider } from '../../src/crypto/index.ts'
import { Replay } from '../../src/record/index.ts'
import type { ServerOutput } from '../../src/server/index.ts'

/** What a server's run came to: nothing that a harmless change of the library changes. */
export interface Outcome {
  readonly logins: readonly { readonly username: string; readonly password?: string; readonly tokenAccepted: boolean }[]
  readonly connected: readonly Readonly<Record<string, unknown>>[]
  readonly rekeyed: readonly { readonly keyId: number; readonly initiator: string }[]
  /** Reasons of the ends. */
  readonly closed: readonly string[]
  /** Packets that came out of the tunnel. */
  readonly packets: number
}

/** A recording and what is known of it. */
export interface RecordedCase {
  readonly file: string
  readonly about: string
  readonly outcome: Outcome
  /** SHA-256 of all datagrams that left, one after the other with their lengths, 16 hex digits. */
  readonly wire: string
}

const folder = new URL('../../vectors/record/', import.meta.url)

/** The cases of a file of `vectors/record`. */
export function recordedCases(name: string): readonly RecordedCase[] {
  const { cases } = JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as {
    readonly cases: readonly RecordedCase[]
  }
  return cases
}

/** Runs a recording of a server without comparing what comes out with what came out then. */
export function rerun(file: string, crypto: CryptoProvider): { readonly outcome: Outcome; readonly wire: string } {
  const text = readFileSync(new URL(file, folder), 'utf8')
  const replay = new Replay(text, { crypto, configure: (_machine, config) => config })
  const outputs: ServerOutput[] = []
  for (let step = replay.step(); step !== undefined; step = replay.step()) {
    if (step.thrown !== undefined) throw step.thrown
    outputs.push(...(step.outputs as readonly ServerOutput[]))
  }
  // A machine that draws other randomness than it did is not at fault, but its recording is of no use any more.
  if (replay.verdict.type === 'different') throw new Error(`${file}: ${replay.verdict.detail}`)
  return { outcome: outcomeOf(outputs), wire: wireOf(outputs) }
}

function outcomeOf(outputs: readonly ServerOutput[]): Outcome {
  const events = outputs.flatMap((output) => (output.type === 'event' ? [output.event] : []))
  return {
    logins: events.flatMap((event) => {
      if (event.type !== 'login') return []
      const { password, tokenAccepted, username } = event
      return [{ username, ...(tokenAccepted ? {} : { password: password.reveal() }), tokenAccepted }]
    }),
    connected: events.flatMap((event) => {
      if (event.type !== 'client-connected') return []
      const { addresses, name, negotiated } = event
      const { dataCipher, dataFormat, dynamicTlsCrypt, keyDerivation, tlsVersion, wrap } = negotiated
      const { IV_VER } = negotiated.peerInfo
      return [
        { name, addresses, wrap, dynamicTlsCrypt, tlsVersion, dataCipher, dataFormat, keyDerivation, version: IV_VER },
      ]
    }),
    rekeyed: events.flatMap((event) =>
      event.type === 'rekeyed' ? [{ keyId: event.keyId, initiator: event.initiator }] : [],
    ),
    closed: events.flatMap((event) => (event.type === 'client-closed' ? [event.reason.type] : [])),
    packets: outputs.filter(({ type }) => type === 'packet').length,
  }
}

function wireOf(outputs: readonly ServerOutput[]): string {
  const hash = createHash('sha256')
  for (const output of outputs) {
    if (output.type !== 'transmit') continue
    hash.update(`${output.data.length} `)
    hash.update(output.data)
  }
  return hash.digest('hex').slice(0, 16)
}
