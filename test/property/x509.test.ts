/**
 * Laws of the certificate floor: what is written is read back; whatever bytes come in, nothing throws but what the face
 * promises, no changed certificate is accepted, and the work stays under its counters.
 */
import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ConfigError, equalBytes } from '../../src/bytes/index.ts'
import { noble } from '../../src/crypto/index.ts'
import { createPeerVerifier, parseCertificate, parsePem, parsePkcs12, parsePrivateKey } from '../../src/x509/index.ts'
import { readCrl } from '../../src/x509/crl.ts'
import type { DerNode } from '../../src/x509/der.ts'
import { DerBudget, oidText, parseDer } from '../../src/x509/der.ts'
import { der, derInteger, derOid, derSequence } from '../../src/x509/der-write.ts'
import { CertificateFault } from '../../src/x509/fault.ts'
import { equalNames } from '../../src/x509/name.ts'
import { certificateOf, issue, PKI_NOW, rsaKeyPem, toyPki } from '../support/pki.ts'
import { SeededRandom } from '../support/random.ts'
import { scaled } from '../support/scale.ts'
import {
  ca,
  counting,
  crl,
  distributionPoint,
  ext,
  general,
  inhibitAnyPolicy,
  issuingPoint,
  keyUsage,
  leaf,
  nameConstraints,
  pointName,
  policies,
  policyConstraints,
  policyMappings,
  reason,
  trusting,
} from '../support/x509.ts'

const SEED = 20251121

describe('DER', () => {
  const tree = fc.letrec<{ node: Uint8Array }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 6, withCrossShrink: true },
      fc.uint8Array({ maxLength: 300 }).map((bytes) => der(0x04, bytes)),
      fc.nat().map((value) => derInteger(value)),
      fc.array(tie('node'), { maxLength: 6 }).map((children) => derSequence(...children)),
      fc.array(tie('node'), { maxLength: 3 }).map((children) => der(0xa1, ...children)),
    ),
  })).node

  it('X509-1 what is written is read back', () => {
    const rewrite = (node: DerNode): Uint8Array =>
      (node.tag & 0x20) === 0 ? der(node.tag, node.content) : der(node.tag, ...node.children.map(rewrite))
    fc.assert(
      fc.property(tree, (bytes) => {
        expect(rewrite(parseDer(bytes, new DerBudget(100_000)))).toEqual(bytes)
      }),
      { seed: SEED, numRuns: 500 },
    )
  })

  it('X509-4 no proper beginning of a structure is a structure', () => {
    fc.assert(
      fc.property(tree, fc.nat(), (bytes, at) => {
        expect(() => parseDer(bytes.subarray(0, at % bytes.length), new DerBudget(100_000))).toThrow(CertificateFault)
      }),
      { seed: SEED, numRuns: 500 },
    )
  })

  it('X509-3 object identifiers survive', () => {
    const arcs = fc.tuple(fc.constantFrom(0, 1, 2), fc.nat(39), fc.array(fc.nat(), { maxLength: 8 }))
    fc.assert(
      fc.property(arcs, ([root, second, rest]) => {
        const text = [root, second, ...rest].join('.')
        expect(oidText(parseDer(derOid(text), new DerBudget(1)).content)).toBe(text)
      }),
      { seed: SEED, numRuns: 500 },
    )
  })
})

describe('names', () => {
  it('X509-5 equality is blind to ASCII case and white space', () => {
    const word = fc.string({ unit: fc.constantFrom(...'abcXYZ019-.äß'.split('')), minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 4 }), fc.boolean(), (words, upper) => {
        const plain = words.join(' ')
        const changed = `  ${words.join(' \t ')} `.replace(/[a-z]/g, (letter) =>
          upper ? letter.toUpperCase() : letter,
        )
        const named = (cn: string) => issue('law', { subject: [['CN', cn]] }).certificate.subject
        expect(equalNames(named(plain), named(changed))).toBe(true)
        expect(equalNames(named(plain), named(`${plain}x`))).toBe(false)
      }),
      { seed: SEED, numRuns: 60 },
    )
  })
})

/** Changes bytes without regard to structure. */
function scramble(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  let out = [...bytes]
  for (let changes = random.int(1, 3); changes > 0; changes--) {
    const at = random.below(Math.max(out.length, 1))
    switch (random.below(6)) {
      case 0:
        out[at] = (out[at] ?? 0) ^ (1 << random.below(8))
        break
      case 1:
        out[at] = random.pick([0, 1, 0x30, 0x80, 0x7f, 0xff, random.below(256)])
        break
      case 2:
        out.splice(at, random.int(1, 8))
        break
      case 3:
        out.splice(at, 0, ...random.bytes(random.int(1, 8)))
        break
      case 4:
        out = out.slice(0, at)
        break
      default:
        out.splice(at, 0, ...out.slice(random.below(out.length + 1), random.below(out.length + 1)))
    }
  }
  return new Uint8Array(out)
}

/** Changes one value of a DER tree and writes it out whole again, so that the change reaches the readers. */
function rebuild(bytes: Uint8Array, donors: readonly DerNode[], random: SeededRandom): Uint8Array {
  const root = parseDer(bytes, new DerBudget(5000))
  const count = (node: DerNode): number => node.children.reduce((sum, child) => sum + count(child), 1)
  let target = random.below(count(root))
  const write = (node: DerNode): Uint8Array => {
    if (target-- === 0) return change(node)
    if ((node.tag & 0x20) !== 0) return der(node.tag, ...node.children.map(write))
    // Octet strings often hold DER of their own: extensions, keys.
    if (node.tag === 0x04 && random.chance(0.3)) {
      try {
        return der(node.tag, rebuild(node.content, donors, random))
      } catch {
        return node.bytes
      }
    }
    return node.bytes
  }
  const change = (node: DerNode): Uint8Array => {
    switch (random.below(7)) {
      case 0:
        return new Uint8Array()
      case 1:
        return new Uint8Array([...node.bytes, ...node.bytes])
      case 2:
        return der(
          random.pick([1, 2, 3, 4, 5, 6, 0x0c, 0x13, 0x17, 0x18, 0x30, 0x31, 0x80, 0x81, 0xa0, 0xa1, 0xa3]),
          node.content,
        )
      case 3:
        return der(node.tag, scramble(node.content, random))
      case 4:
        return random.pick(donors).bytes
      case 5:
        return der(node.tag, node.content, random.pick(donors).bytes)
      default:
        return der(node.tag, ...random.shuffle(node.children).map(({ bytes: child }) => child))
    }
  }
  return write(root)
}

function allNodes(bytes: Uint8Array): DerNode[] {
  const out: DerNode[] = []
  const walk = (node: DerNode): void => {
    out.push(node)
    for (const child of node.children) walk(child)
  }
  walk(parseDer(bytes, new DerBudget(5000)))
  return out
}

const root = ca('root')
const middle = ca('middle', root, {
  extensions: [
    nameConstraints(['dns:example.com', 'email:example.com', 'uri:.example.com'], ['ip:10,0,0,0,255,0,0,0']),
    policies('1.2.3', '1.2.4'),
    policyMappings(['1.2.3', '1.2.5']),
    policyConstraints(3, 2),
    inhibitAnyPolicy(2),
  ],
})
const rich = leaf('rich', middle, {
  subjectAltName: ['dns:a.example.com', 'email:a@example.com', 'uri:http://a.example.com/', 'ip:11,0,0,1'].map(general),
  extensions: [
    keyUsage('digitalSignature', 'keyEncipherment'),
    policies('1.2.5', '1.2.4'),
    distributionPoint(pointName('point')),
    ext('nsCertType', der(3, new Uint8Array([6, 0x40]))),
  ],
})
const rootCrl = crl(root, { revoked: [{ identity: rich, extensions: [reason(1)] }] })
const middleCrl = crl(middle, { revoked: [root], extensions: [issuingPoint(pointName('point'))] })

describe('mutated certificates', () => {
  const sources = [
    rich,
    middle,
    ...(['P-256', 'ed25519', 'rsa-2048', 'rsa-pss-2048'] as const).map((kind) => toyPki(kind).server),
  ]
  const donors = [...sources.map(({ der: bytes }) => bytes), rootCrl, middleCrl].flatMap(allNodes)
  const runs = scaled(4000, 200_000)

  it(`X509-39 ${runs} in chains: no throw, no acceptance, bounded work`, () => {
    const random = new SeededRandom('mutated certificates')
    const verifier = createPeerVerifier({
      ca: [root.der],
      crls: [rootCrl, middleCrl],
      remoteCertTls: 'server',
      usernameFields: ['CN'],
    })
    const good = createPeerVerifier({ ca: [root.der] })
    expect(good.verify([rich.der, middle.der], 'server', PKI_NOW, noble).type).toBe('verified')
    let changed = 0
    let accepted = 0
    let reachedSignature = 0
    for (let run = 0; run < runs; run++) {
      const first = random.chance(0.5)
      const original = (first ? rich : middle).der
      const mutated = random.chance(0.4) ? scramble(original, random) : rebuild(original, donors, random)
      if (equalBytes(mutated, original)) continue
      changed++
      const crypto = counting()
      const chain = first ? [mutated, middle.der] : [rich.der, mutated]
      const verdict = (random.chance(0.5) ? verifier : good).verify(chain, 'server', PKI_NOW, crypto)
      // A leaf may verify when only the intermediate was changed and is not needed; here it is.
      if (verdict.type === 'verified') accepted++
      if (crypto.counts.verify > 0) reachedSignature++
      expect(crypto.counts.verify).toBeLessThanOrEqual(64)
    }
    expect(changed).toBeGreaterThan(runs * 0.9)
    expect(reachedSignature).toBeGreaterThan(runs * 0.02)
    expect(accepted).toBe(0)
  }, 3_600_000)

  it(`X509-39 ${runs} with signatures taken on trust: no throw behind the signature either`, () => {
    const random = new SeededRandom('trusted mutations')
    const crypto = trusting()
    const verifier = createPeerVerifier({
      ca: [root.der],
      crls: [rootCrl, middleCrl],
      missingCrl: 'accept',
      remoteCertKu: [0xa0],
      usernameFields: ['CN', 'serialNumber', 'ext:subjectAltName'],
      verifyName: { type: 'name-prefix', value: 'rich' },
      policy: { requireExplicitPolicy: true, acceptable: ['1.2.3'] },
    })
    const problems = new Set<string>()
    for (let run = 0; run < runs; run++) {
      const leafBytes = random.chance(0.7) ? rebuild(rich.der, donors, random) : rich.der
      const issuer = random.chance(0.7) ? rebuild(middle.der, donors, random) : middle.der
      const verdict = verifier.verify([leafBytes, issuer], 'server', PKI_NOW, crypto)
      if (verdict.type === 'refused') problems.add(verdict.problem)
      const source = random.pick(sources).der
      const parsed = parseCertificate(rebuild(source, donors, random))
      if (typeof parsed !== 'string') certificateOf(parsed.der)
    }
    expect(problems.size).toBeGreaterThan(8)
  }, 3_600_000)

  it('X509-39 random bytes are no certificate', () => {
    const random = new SeededRandom('noise')
    for (let run = 0; run < scaled(3000, 200_000); run++) {
      expect(typeof parseCertificate(random.bytes(random.below(400)))).toBe('string')
    }
  })
})

describe('mutated files of the host', () => {
  const runs = scaled(1500, 100_000)

  it(`${runs} revocation lists give a list or a fault, and a verifier or a ConfigError`, () => {
    const random = new SeededRandom('mutated lists')
    const donors = [rootCrl, middleCrl, rich.der].flatMap(allNodes)
    const verifier = createPeerVerifier({ ca: [root.der], crls: [rootCrl, middleCrl] })
    let read = 0
    for (let run = 0; run < runs; run++) {
      const original = random.pick([rootCrl, middleCrl])
      const mutated = random.chance(0.4) ? scramble(original, random) : rebuild(original, donors, random)
      try {
        readCrl(mutated)
        read++
      } catch (error) {
        expect(error).toBeInstanceOf(CertificateFault)
      }
      try {
        verifier.replaceCrls([mutated, rootCrl, middleCrl])
      } catch (error) {
        expect(error).toBeInstanceOf(ConfigError)
      }
      const verdict = verifier.verify([rich.der, middle.der], 'server', PKI_NOW, trusting())
      expect(['verified', 'refused']).toContain(verdict.type)
    }
    expect(read).toBeGreaterThan(runs * 0.05)
  }, 3_600_000)

  it(`${runs} private keys and bundles give a key or a ConfigError`, () => {
    const random = new SeededRandom('mutated keys')
    const load = (name: string) =>
      (
        JSON.parse(readFileSync(new URL(`../../vectors/x509/${name}.json`, import.meta.url), 'utf8')) as {
          cases: Record<string, string>[]
        }
      ).cases
    const keys = [...load('private-keys'), { pem: rsaKeyPem('rsa-1024') }]
      .filter(({ pem, says }) => says === undefined && pem!.length < 1500)
      .map((test) => ({ ...parsePem(test['pem']!, 'key').at(-1)!, passphrase: test['passphrase'] }))
      .filter(({ encryption }) => encryption === undefined) // what the others hold is no DER
    const bundles = load('pkcs12')
      .filter(({ name }) => ['contents in the clear, MAC only', 'one iteration'].includes(name!))
      .map((test) => ({ der: new Uint8Array(Buffer.from(test['p12']!, 'base64')), password: test['password'] }))
    expect(keys.length).toBeGreaterThan(20)
    expect(bundles.length).toBe(2)
    const donors = [...keys.filter(({ passphrase }) => passphrase === undefined).slice(0, 8), ...bundles].flatMap(
      (key) => allNodes(key.der),
    )
    const attempt = (act: () => unknown): void => {
      try {
        act()
      } catch (error) {
        expect(error).toBeInstanceOf(ConfigError)
      }
    }
    // Derivations of a thousand iterations take milliseconds; most of the run goes to keys in the clear.
    const clear = keys.filter(({ passphrase }) => passphrase === undefined)
    for (let run = 0; run < runs; run++) {
      const { der: original, passphrase } = random.chance(0.02) ? random.pick(keys) : random.pick(clear)
      const mutated = random.chance(0.5) ? scramble(original, random) : rebuild(original, donors, random)
      attempt(() => parsePrivateKey(mutated, passphrase))
      const bundle = random.pick(bundles)
      const other = random.chance(0.5) ? scramble(bundle.der, random) : rebuild(bundle.der, donors, random)
      attempt(() => parsePkcs12(other, bundle.password))
    }
  }, 3_600_000)

  it('PEM text of any kind gives blocks or a ConfigError', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.constantFrom(
            '-----BEGIN CERTIFICATE-----',
            '-----END CERTIFICATE-----',
            '-----BEGIN',
            'AAAA',
            '=',
            '\n',
            '\r\n',
            ' ',
            'Proc-Type: 4,ENCRYPTED',
            ':',
            'x',
            '-----END PRIVATE KEY-----',
          ),
          { maxLength: 30 },
        ),
        (parts) => {
          try {
            parsePem(parts.join(''), 'ca')
          } catch (error) {
            expect(error).toBeInstanceOf(ConfigError)
          }
        },
      ),
      { seed: SEED, numRuns: 2000 },
    )
  })
})
