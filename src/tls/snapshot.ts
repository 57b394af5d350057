/**
 * An open connection as plain data, so that what runs inside it can move to another process.
 *
 * The secrets lie in the open here: whoever keeps a snapshot must seal it. The connection it was taken of must not be used
 * again, and a snapshot must not be resumed twice, or records repeat under one key. Certificates come along as they were
 * proven; nothing of the handshake is done or checked again (TLS-60).
 */
import { type Certificate, parseCertificate } from '../x509/index.ts'
import type { Context } from './context.ts'
import { trafficKeys } from './key-schedule.ts'
import { createOpener12, createSealer12, type Randoms, recordKeys12 } from './key-schedule12.ts'
import type { Open12 } from './open12.ts'
import type { Open13 } from './open13.ts'
import type { TlsAgreement, TlsInfo } from './output.ts'
import { Opener13, Sealer13 } from './protection.ts'
import type { RecordSnapshot } from './record-layer.ts'
import { cipherSuiteByName } from './registry.ts'

/** What both versions hand over. */
interface CommonSnapshot {
  readonly info: TlsAgreement
  /** True when the leaf had been verified. */
  readonly verified: boolean
  readonly records: RecordSnapshot
}

/** An open connection as plain data. Secret. */
export type TlsSnapshot =
  | (CommonSnapshot & Pick<Open12, 'encryptThenMac' | 'master' | 'refused' | 'type'> & { readonly randoms: Randoms })
  | (CommonSnapshot &
      Pick<Open13, 'exporterMasterSecret' | 'idleMessages' | 'owesUpdate' | 'readSecret' | 'type' | 'writeSecret'>)

/** What an open connection tells: its agreement, with the certificate read once more. */
export function infoOf({ info, verified }: Open12 | Open13): TlsInfo {
  return { ...info, peerLeaf: verified ? readLeaf(info) : undefined }
}

function readLeaf({ peerCertificates: [der] }: TlsAgreement): Certificate | undefined {
  const leaf = der === undefined ? undefined : parseCertificate(der)
  return typeof leaf === 'string' ? undefined : leaf
}

/** The snapshot of an open state. */
export function takeSnapshot(state: Open12 | Open13, records: RecordSnapshot): TlsSnapshot {
  const { info, verified } = state
  const common = { info, verified, records }
  if (state.type === 'open-12') {
    const { encryptThenMac, master, randoms, refused, type } = state
    return { ...common, type, encryptThenMac, master, randoms, refused }
  }
  const { exporterMasterSecret, idleMessages, owesUpdate, readSecret, type, writeSecret } = state
  return { ...common, type, exporterMasterSecret, idleMessages, owesUpdate, readSecret, writeSecret }
}

/** The open state of a snapshot, with its keys in the record layer. Undefined for a suite that is not known here. */
export function resumeSnapshot(context: Context, snapshot: TlsSnapshot): Open12 | Open13 | undefined {
  const { crypto, random, records } = context
  const { records: stood, verified, info } = snapshot
  const suite = cipherSuiteByName(info.cipherSuite)
  if (suite === undefined || (verified && readLeaf(info) === undefined)) return undefined
  if (snapshot.type === 'open-13') {
    const { exporterMasterSecret, idleMessages, owesUpdate, readSecret, type, writeSecret } = snapshot
    const opener = new Opener13(crypto, trafficKeys(crypto, suite, readSecret), stood.opened)
    const sealer = new Sealer13(crypto, trafficKeys(crypto, suite, writeSecret), stood.sealed)
    records.resume('TLSv1.3', opener, sealer, stood.unread)
    const secrets = { readSecret, writeSecret, exporterMasterSecret, resumption: undefined }
    return { type, suite, info, verified, ...secrets, owesUpdate, idleMessages }
  }
  const { encryptThenMac, master, randoms, refused, type } = snapshot
  const keys = recordKeys12(crypto, suite, master, randoms, encryptThenMac)
  const [ours, theirs] = context.config.role === 'server' ? [keys.server, keys.client] : [keys.client, keys.server]
  const opener = createOpener12(crypto, theirs, stood.opened)
  records.resume('TLSv1.2', opener, createSealer12(crypto, ours, random, stood.sealed), stood.unread)
  return { type, suite, info, verified, randoms, master, encryptThenMac, refused }
}
