/**
 * What was negotiated, and what was counted, as lines for people.
 */
import type { Negotiated, Stats } from '../../session/index.ts'

/** One line per negotiated fact. */
export function describeNegotiated(negotiated: Negotiated): readonly string[] {
  const { tlsVersion, cipherSuite, group, signatureScheme, wrap, dataCipher, dataAuth, peerId } = negotiated
  const signed = signatureScheme === undefined ? 'no certificate' : `peer signed ${signatureScheme}`
  if (negotiated.keyDerivation === 'static-key') {
    return ['no TLS: a static key', `data ${dataCipher} with ${dataAuth ?? 'none'} (${negotiated.dataFormat})`]
  }
  const lines = [
    `${tlsVersion}, ${cipherSuite}, group ${group ?? 'none'}, ${signed}`,
    `control wrap ${wrap}${negotiated.dynamicTlsCrypt ? ', dynamic tls-crypt for renegotiations' : ''}`,
    `data ${dataCipher}${dataAuth === undefined ? '' : ` with ${dataAuth}`} (${negotiated.dataFormat}), keys by ${negotiated.keyDerivation}, ` +
      (peerId === undefined ? 'DATA_V1' : `peer-id ${peerId}`),
  ]
  if (negotiated.peerSubject !== undefined) lines.push(`peer ${negotiated.peerSubject}`)
  const version = negotiated.peerInfo['IV_VER']
  if (version !== undefined) lines.push(`peer version ${version}`)
  return lines
}

/** The counters in two or three lines. */
export function describeStats(stats: Stats): readonly string[] {
  const dropped = Object.entries(stats.dropped).filter(([, count]) => count > 0)
  const lines = [
    `sent ${stats.datagramsSent} datagrams (${stats.bytesSent} B), received ${stats.datagramsReceived} (${stats.bytesReceived} B)`,
    `tunnel packets out ${stats.packetsSent}, in ${stats.packetsReceived}; rekeys ${stats.rekeys}; retransmissions ${stats.retransmissions}`,
  ]
  if (dropped.length > 0) lines.push(`dropped: ${dropped.map(([reason, count]) => `${reason} ${count}`).join(', ')}`)
  return lines
}
