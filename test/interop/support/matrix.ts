/**
 * Our client against one release of the reference server: every transport, wrap, kind of certificate and data cipher,
 * each with twenty pings. The result is kept as data, from which the README's table is drawn.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { clientConfig, generateStaticKey, SERVER_READY, serverConfig, TRANSPORTS, WRAPS } from './configs.ts'
import { withLab } from './lab.ts'
import { KEY_KINDS, opensslPki } from './pki.ts'
import { probe } from './probe.ts'
import { program, type Release, releasesToTest } from './reference.ts'

const RESULTS = fileURLToPath(new URL('../../../spec/interop/', import.meta.url))

/** Data ciphers of the matrix. */
export const CIPHERS = ['AES-128-GCM', 'AES-256-GCM', 'CHACHA20-POLY1305'] as const

/** Pings of one cell. */
export const PINGS = 20

/** One row of the table: replies per kind of certificate, over all ciphers. */
interface Row {
  readonly transport: string
  readonly wrap: string
  readonly replies: Record<string, number>
}

/** Declares the tests of one release. */
export function describeMatrix(release: Release): void {
  const rows: Row[] = []
  describe.skipIf(!releasesToTest([release]).includes(release))(`probe against OpenVPN ${release}`, () => {
    for (const transport of TRANSPORTS) {
      for (const wrap of WRAPS) {
        const row: Row = { transport, wrap, replies: {} }
        rows.push(row)
        it.each(KEY_KINDS)(`${transport}, ${wrap}, %s: 20 of 20 pings with each cipher`, async (kind) => {
          row.replies[kind] = await cell(release, transport, wrap, kind)
        })
      }
    }

    afterAll(() => {
      const complete = rows.every((row) => KEY_KINDS.every((kind) => row.replies[kind] === PINGS * CIPHERS.length))
      if (!complete) return
      mkdirSync(RESULTS, { recursive: true })
      const result = { release, program: program(release).version, ciphers: CIPHERS, pings: PINGS, rows }
      writeFileSync(join(RESULTS, `matrix-${release}.json`), `${JSON.stringify(result, null, 2)}\n`)
    })
  })
}

async function cell(
  release: Release,
  transport: (typeof TRANSPORTS)[number],
  wrap: (typeof WRAPS)[number],
  kind: (typeof KEY_KINDS)[number],
): Promise<number> {
  const tunnel = { transport, wrap, key: wrap === 'none' ? '' : generateStaticKey(), pki: opensslPki(kind) }
  return await withLab(async (lab) => {
    const server = lab.openvpn(release, 'server', serverConfig(tunnel))
    await server.seen(SERVER_READY)
    let replies = 0
    for (const cipher of CIPHERS) {
      const profile = clientConfig({ ...tunnel, client: `data-ciphers ${cipher}` })
      const result = await probe(lab, profile, ['--count', `${PINGS}`, '--interval', '5'])
      expect(result, `${result.output}\n${server.output()}`).toMatchObject({
        code: 0,
        pings: PINGS,
        negotiated: { wrap, dataCipher: cipher, tlsVersion: 'TLSv1.3' },
      })
      replies += result.pings
    }
    return replies
  })
}
