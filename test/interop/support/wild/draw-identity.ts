/**
 * Certificates, keys and logins of a drawn pair, and how each end checks the other.
 */
import type { Plan } from './draw.ts'
import {
  ALL_KINDS,
  bundle,
  fingerprint,
  type Holder,
  intermediate,
  isEncrypted,
  KEY_FORMS,
  type Kind,
  keyFile,
  leaf,
  revocations,
  root,
  selfSigned,
  withText,
} from './keys.ts'
import { fileLine, line, pathLine } from './spelling.ts'

const PASSPHRASE = 'pass wörd #1'

/** What both ends present. */
interface Ends {
  readonly authority: Kind
  readonly below: 'root' | 'middle'
  readonly server: Holder
  readonly client: Holder
}

/** Certificates of both ends and what is checked of them. */
export function drawIdentity(plan: Plan): void {
  const { random, release } = plan
  if (release !== '2.5' && plan.chance('fingerprints', 0.08)) {
    drawFingerprints(plan)
    return
  }
  const authority = plan.pick('ca', ALL_KINDS)
  const [ours, theirs] = random.chance(0.6)
    ? [authority, authority]
    : [plan.pick('client-key', ALL_KINDS), plan.pick('server-key', ALL_KINDS)]
  const below = plan.pick('below', ['root', 'root', 'middle'])
  const server = leaf(authority, below, theirs, 'serverAuth', 'server')
  const client = leaf(authority, below, ours, 'clientAuth', 'client')
  drawServer(plan, { authority, below, server, client })
  drawClient(plan, { authority, below, server, client })
  drawChecks(plan, { authority, below, server, client })
  drawLogin(plan)
}

function drawServer(plan: Plan, { authority, below, server }: Ends): void {
  plan.server.push(fileLine('ca', root(authority).certificate), fileLine('key', server.key), line('dh none'))
  const middle = below === 'middle' ? intermediate(authority).certificate : ''
  if (middle !== '' && plan.chance('server-extra-certs', 0.4)) {
    plan.server.push(fileLine('cert', server.certificate), fileLine('extra-certs', middle))
  } else {
    plan.server.push(fileLine('cert', server.certificate + middle))
  }
}

function drawClient(plan: Plan, { authority, below, client }: Ends): void {
  const { random } = plan
  const middle = below === 'middle' ? intermediate(authority).certificate : ''
  const ca = root(authority).certificate
  if (plan.chance('pkcs12', 0.15)) {
    const passphrase = plan.chance('p12-password', 0.6) ? PASSPHRASE : ''
    const inside = plan.chance('p12-ca', 0.7)
    const file = bundle(
      client,
      [...(inside ? [ca] : []), ...(middle === '' ? [] : [middle])],
      passphrase,
      plan.chance('p12-3des', 0.3),
    )
    plan.client.push(fileLine('pkcs12', file))
    // A bundle's authority counts only where no ca is given.
    if (!inside) plan.client.push(fileLine('ca', ca))
    if (passphrase !== '') plan.client.push(pathLine('askpass', `${passphrase}\n`))
    return
  }
  const cas = plan.pick('ca-file', ['alone', 'alone', 'several', 'with-text', 'with-middle'])
  const other = root('P-256', 'other').certificate
  plan.client.push(
    fileLine(
      'ca',
      cas === 'alone'
        ? ca
        : cas === 'several'
          ? random.chance(0.5)
            ? other + ca
            : `# first\n${ca}\n\n# second\n${other}`
          : cas === 'with-text'
            ? withText(root(authority))
            : ca + middle,
    ),
  )
  const own = plan.chance('cert-with-text', 0.2) ? withText(client) : client.certificate
  if (middle !== '' && plan.chance('extra-certs', 0.4)) {
    plan.client.push(fileLine('cert', own), fileLine('extra-certs', middle))
  } else {
    plan.client.push(fileLine('cert', own + middle))
  }
  const kindHasTraditional = !isModern(client)
  const form = plan.pick(
    'key-form',
    KEY_FORMS.filter((one) => kindHasTraditional || !one.startsWith('traditional')),
  )
  plan.client.push(fileLine('key', keyFile(client, form, PASSPHRASE)))
  if (isEncrypted(form)) plan.client.push(pathLine('askpass', `${PASSPHRASE}\n`))
}

/** Kinds of keys that only PKCS#8 can hold: their files are short, or name no rsaEncryption. */
function isModern({ key }: Holder): boolean {
  const der = Buffer.from(key.replace(/-----.*?-----|\s/g, ''), 'base64').toString('hex')
  const isRsa = der.includes('2a864886f70d010101')
  const isEc = der.includes('2a8648ce3d0201')
  return !isRsa && !isEc
}

function drawChecks(plan: Plan, { authority, below, server, client }: Ends): void {
  const { random, release } = plan
  for (const usage of [
    plan.pick('usage', ['remote-cert-tls server', 'remote-cert-eku', 'remote-cert-ku', 'ns-cert-type server', '']),
  ]) {
    if (usage === 'remote-cert-eku') {
      plan.client.push({ words: [usage, random.pick(['TLS Web Server Authentication', '1.3.6.1.5.5.7.3.1'])] })
    } else if (usage === 'remote-cert-ku') {
      plan.onClient('remote-cert-ku 80 a0 88')
    } else if (usage !== '') plan.onClient(usage)
  }
  const subject = 'C=GB, O=Wild Ltd, OU=a b, CN=server'
  const name = plan.pick('name', ['', '', 'name', 'prefix', 'subject', 'subject-default'])
  if (name === 'name') plan.onClient('verify-x509-name server name')
  if (name === 'prefix') plan.onClient('verify-x509-name ser name-prefix')
  if (name === 'subject') plan.client.push({ words: ['verify-x509-name', subject, 'subject'] })
  if (name === 'subject-default') plan.client.push({ words: ['verify-x509-name', subject] })
  if (plan.chance('verify-hash', 0.1)) {
    const issuer = below === 'root' ? root(authority) : intermediate(authority)
    const digest = plan.pick('hash', ['sha1', 'sha256'])
    plan.onClient(`verify-hash ${fingerprint(issuer, digest)} ${digest.toUpperCase()}`)
  } else if (release !== '2.5' && plan.chance('peer-fingerprint', 0.1)) {
    plan.onClient(`peer-fingerprint ${fingerprint(server, 'sha256')}`)
  }
  if (below === 'root' && plan.chance('crl', 0.15)) {
    plan.client.push(fileLine('crl-verify', revocations(authority, plan.random.chance(0.5) ? [client] : [])))
  }
  if (plan.chance('server-checks', 0.3)) plan.onServer('remote-cert-tls client')
  if (plan.chance('profile', 0.2))
    plan.onClient(`tls-cert-profile ${plan.pick('cert-profile', ['legacy', 'preferred'])}`)
}

function drawFingerprints(plan: Plan): void {
  const kinds = ALL_KINDS.filter((kind) => kind !== 'RSA-PSS')
  const server = selfSigned(plan.pick('server-key', kinds), 'server')
  const client = selfSigned(plan.pick('client-key', kinds), 'client')
  plan.server.push(fileLine('cert', server.certificate), fileLine('key', server.key), line('dh none'))
  plan.onServer(`peer-fingerprint ${fingerprint(client, 'sha256')}`)
  plan.client.push(fileLine('cert', client.certificate), fileLine('key', client.key))
  const prints = `${fingerprint(client, 'sha256')}\n${fingerprint(server, 'sha256')}`
  if (plan.chance('print-block', 0.5))
    plan.client.push({
      block: 'peer-fingerprint',
      lines: prints.split('\n').map((text) => ({ words: [text], plain: true })),
    })
  else plan.onClient(`peer-fingerprint ${fingerprint(server, 'sha256')}`)
}

/** The password of every drawn login. */
const LOGIN = { name: 'ann', password: 'pa"ss wörd\\1' }

function drawLogin(plan: Plan): void {
  const { release } = plan
  if (!plan.chance('login', 0.25)) return
  const challenge = plan.chance('static-challenge', 0.2)
  const script = challenge
    ? 'grep -q "^SCRV1:" "$1"'
    : `[ "$(sed -n 1p "$1")" = '${LOGIN.name}' ] && [ "$(sed -n 2p "$1")" = '${LOGIN.password}' ]`
  plan.extras.set('verify.sh', `#!/bin/sh\n${script}\n`)
  plan.onServer('script-security 3', 'auth-user-pass-verify ./verify.sh via-file')
  if (plan.chance('gen-token', 0.3))
    plan.onServer(
      plan.pick('token', [
        'auth-gen-token',
        'auth-gen-token 3600',
        ...(release === '2.5' ? [] : (['auth-gen-token 0 3600'] as const)),
      ]),
    )
  if (plan.chance('username-as-cn', 0.3)) plan.onServer('username-as-common-name')
  const wrong = !challenge && plan.random.chance(0.12)
  const password = wrong ? 'nonsense' : LOGIN.password
  if (wrong) {
    plan.tags.push('wrong-password')
    plan.fate = ['auth-failed']
  }
  const credentials = `${LOGIN.name}\n${password}\n`
  // Inline logins are known since 2.6.
  plan.client.push(
    release === '2.5' ? pathLine('auth-user-pass', credentials) : fileLine('auth-user-pass', credentials),
  )
  if (challenge) {
    plan.client.push({ words: ['static-challenge', 'What is the code?', plan.random.pick(['0', '1'])] })
    plan.args.push('--response', '123456')
  }
  if (plan.chance('no-client-cert', 0.2) && plan.fate === 'up') {
    plan.onServer(plan.pick('verify-client', ['verify-client-cert none', 'verify-client-cert optional']))
    const own = new Set(['cert', 'key', 'extra-certs', 'askpass', 'pkcs12'])
    const bundled = plan.client.some((item) => 'words' in item && item.words[0] === 'pkcs12')
    if (!bundled) {
      const kept = plan.client.filter((item) => 'block' in item || !own.has(item.words[0] ?? ''))
      plan.client.splice(0, plan.client.length, ...kept)
    }
  }
  if (plan.chance('auth-nocache', 0.2)) plan.onClient('auth-nocache')
  if (plan.chance('auth-retry', 0.1)) plan.onClient('auth-retry nointeract')
}
