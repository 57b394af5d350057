/**
 * Random chains, judged by `openssl verify` and by us. The generator draws features that both sides check; where the two
 * differ by design the difference is named in the comparison, and we are only ever the stricter.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { Extension, GeneralName, KeyUsage, Purpose } from '../../../src/x509/index.ts'
import { writePem } from '../../../src/x509/index.ts'
import { isSelfIssued } from '../../../src/x509/certificate-checks.ts'
import { derNull } from '../../../src/x509/der-write.ts'
import type { Identity, IssueOptions } from '../../support/pki.ts'
import { PKI_NOW } from '../../support/pki.ts'
import { SeededRandom } from '../../support/random.ts'
import { scaled } from '../../support/scale.ts'
import {
  basicConstraints,
  ca,
  crl,
  ext,
  extendedKeyUsage,
  general,
  keyUsage,
  leaf,
  nameConstraints,
  outcome,
  verify,
} from '../../support/x509.ts'

const directory = mkdtempSync(join(tmpdir(), 'x509-openssl-'))
afterAll(() => rmSync(directory, { recursive: true }))

interface Chain {
  readonly identities: readonly Identity[]
  readonly crls: readonly Uint8Array[]
  readonly purpose: 'server' | 'client'
}

const DAY = 86_400_000
const NAMES = [
  'dns:a.example.com',
  'dns:example.org',
  'email:a@example.com',
  'email:b@sub.example.com',
  'ip:10,1,2,3',
  'ip:11,0,0,1',
  'uri:http://www.example.com/x',
]
const BASES = [
  'dns:example.com',
  'dns:.example.com',
  'dns:org',
  'email:example.com',
  'email:.example.com',
  'email:a@example.com',
  'ip:10,0,0,0,255,0,0,0',
  'uri:www.example.com',
  'uri:.example.com',
]
const USAGES: readonly KeyUsage[] = [
  'digitalSignature',
  'keyEncipherment',
  'keyAgreement',
  'nonRepudiation',
  'keyCertSign',
  'cRLSign',
]

function some<T>(random: SeededRandom, items: readonly T[], most: number): T[] {
  return random.shuffle(items).slice(0, random.int(1, most))
}

/** Validity that is mostly fine, sometimes just over or just outside. */
function validity(random: SeededRandom): IssueOptions {
  if (random.chance(0.94)) return {}
  return random.pick([
    { notAfter: PKI_NOW },
    { notAfter: PKI_NOW + 1000 },
    { notBefore: PKI_NOW },
    { notBefore: PKI_NOW + 1000 },
    { notBefore: PKI_NOW - 2 * DAY, notAfter: PKI_NOW - DAY },
  ])
}

function caExtensions(random: SeededRandom): Extension[] {
  const out: Extension[] = []
  if (random.chance(0.08)) out.push(basicConstraints(random.pick([false, undefined])))
  if (random.chance(0.1)) out.push(keyUsage(...some(random, USAGES, 3)))
  if (random.chance(0.15))
    out.push(extendedKeyUsage(...some(random, ['serverAuth', 'clientAuth', '2.5.29.37.0', '1.2.3'], 2)))
  if (random.chance(0.25)) {
    const [permitted, excluded] = [some(random, BASES, 2), some(random, BASES, 2)]
    out.push(
      random.chance(0.5)
        ? nameConstraints(permitted)
        : random.chance(0.5)
          ? nameConstraints([], excluded)
          : nameConstraints(permitted, excluded),
    )
  }
  if (random.chance(0.03)) out.push(ext('1.2.3.4', derNull(), random.chance(0.7)))
  return out
}

function leafExtensions(random: SeededRandom): Extension[] {
  const out: Extension[] = []
  if (random.chance(0.3)) out.push(keyUsage(...some(random, USAGES, 3)))
  if (random.chance(0.3))
    out.push(extendedKeyUsage(...some(random, ['serverAuth', 'clientAuth', '2.5.29.37.0', '1.2.3'], 2)))
  if (random.chance(0.05)) out.push(ext('1.2.3.4', derNull(), random.chance(0.7)))
  if (random.chance(0.1)) out.push(basicConstraints(random.chance(0.5)))
  return out
}

function generate(random: SeededRandom): Chain {
  const identities: Identity[] = [ca('root', undefined, { ...validity(random), extensions: caExtensions(random) })]
  for (let depth = random.int(0, 2); depth > 0; depth--) {
    const issuer = identities.at(-1)!
    const selfIssued = random.chance(0.1)
    const name = `ca ${identities.length}`
    identities.push(
      ca(name, issuer, {
        ...validity(random),
        ...(selfIssued ? { subject: [['CN', issuer.certificate.subject.rdns[0]![0]!.text!]] } : {}),
        ...(random.chance(0.3) ? { pathLength: random.below(2) } : {}),
        extensions: caExtensions(random),
      }),
    )
  }
  const names: GeneralName[] = some(random, NAMES, 3).map(general)
  const rolled = isSelfIssued(identities.at(-1)!.certificate) && identities.length > 1
  const end = leaf('end', identities.at(-1)!, {
    ...validity(random),
    // Between two CAs of one name OpenSSL takes the first unless a key identifier says otherwise; a bare leaf has none.
    kind: random.pick(rolled ? (['server', 'client'] as const) : (['server', 'client', 'bare'] as const)),
    ...(random.chance(0.6) ? { subjectAltName: names } : {}),
    ...(random.chance(0.05) ? { signature: { type: 'ecdsa', hash: 'SHA1' } as const } : {}),
    extensions: leafExtensions(random),
  })
  identities.push(end)
  const crls = random.chance(0.3)
    ? identities.slice(0, -1).flatMap((issuer, index) => {
        if (random.chance(0.1)) return []
        const revoked = random.chance(0.15) ? [identities[index + 1]!] : []
        const time = random.chance(0.08) ? { nextUpdate: PKI_NOW } : {}
        return [crl(issuer, { revoked, ...time })]
      })
    : []
  return { identities, crls, purpose: random.pick(['server', 'client'] as const) }
}

function openssl({ identities, crls, purpose }: Chain): string {
  const file = (name: string, text: string): string => {
    const path = join(directory, name)
    writeFileSync(path, text)
    return path
  }
  const [root, ...others] = identities
  const args = ['verify', '-purpose', `ssl${purpose}`, '-attime', String(PKI_NOW / 1000), '-auth_level', '1']
  args.push('-CAfile', file('root.pem', root!.pem), '-no-CApath', '-no-CAstore')
  if (others.length > 1)
    args.push(
      '-untrusted',
      file(
        'others.pem',
        others
          .slice(0, -1)
          .map(({ pem }) => pem)
          .join(''),
      ),
    )
  if (crls.length > 0)
    args.push('-crl_check_all', '-CRLfile', file('crls.pem', crls.map((list) => writePem('X509 CRL', list)).join('')))
  const run = spawnSync('openssl', [...args, file('leaf.pem', others.at(-1)!.pem)], { encoding: 'utf8' })
  return run.status === 0 ? 'verified' : run.stderr
}

describe('against openssl verify', () => {
  const runs = scaled(120, 3000)
  it(`agrees on ${runs} random chains`, () => {
    const random = new SeededRandom('openssl')
    let verified = 0
    const disagreements: string[] = []
    for (let run = 0; run < runs; run++) {
      const chain = generate(random.fork(run))
      const theirs = openssl(chain)
      const purpose: Purpose = chain.purpose
      const ours = outcome(
        verify(chain.identities, { purpose, ...(chain.crls.length > 0 ? { crls: chain.crls } : {}) }),
      )
      if (theirs === 'verified') verified++
      if ((ours === 'verified') !== (theirs === 'verified')) disagreements.push(`run ${run}: ${ours} against ${theirs}`)
    }
    expect(disagreements).toEqual([])
    expect(verified).toBeGreaterThan(runs * 0.1)
    expect(verified).toBeLessThan(runs * 0.9)
  }, 3_600_000)
})
