/**
 * Data ciphers, digests, compression framing and sizes of a drawn pair.
 */
import type { Plan } from './draw.ts'

const AEAD = ['AES-256-GCM', 'AES-128-GCM', 'AES-192-GCM', 'CHACHA20-POLY1305'] as const
const CBC = ['AES-128-CBC', 'AES-192-CBC', 'AES-256-CBC'] as const
const DIGESTS = ['SHA1', 'SHA256', 'SHA512', 'SHA384', 'SHA224', 'MD5', 'none'] as const

/** The data cipher, by negotiation or without it. */
export function drawCiphers(plan: Plan): void {
  const { random, release } = plan
  const how = plan.pick('ciphers', ['default', 'lists', 'lists', 'cbc', 'cbc', 'old-style', 'no-ncp', 'optional'])
  switch (how) {
    case 'default':
      break
    case 'lists': {
      const common = plan.pick('cipher', AEAD)
      const list = (extra: readonly string[]): string =>
        random.shuffle([common, ...random.shuffle(extra).slice(0, random.below(3))]).join(':')
      const name = (): string => random.pick(['data-ciphers', 'data-ciphers', 'ncp-ciphers'])
      plan.onServer(`${name()} ${list(AEAD.filter((other) => other !== common))}`)
      plan.onClient(`${name()} ${list([...AEAD, ...CBC].filter((other) => other !== common))}`)
      break
    }
    case 'cbc': {
      const cipher = plan.pick('cipher', CBC)
      drawDigest(plan)
      plan.onServer(`data-ciphers ${cipher}`)
      plan.onClient(`data-ciphers ${random.pick([cipher, cipher.toLowerCase(), `AES-256-GCM:${cipher}`])}`)
      break
    }
    case 'old-style': {
      const cipher = plan.pick('cipher', [...CBC, ...AEAD])
      plan.both(`cipher ${cipher}`)
      if (plan.chance('auth-too', 0.5)) drawDigest(plan)
      break
    }
    case 'no-ncp': {
      if (release !== '2.5') break
      const cipher = plan.pick('cipher', [...CBC, 'AES-256-GCM'])
      drawDigest(plan)
      plan.onServer('ncp-disable', `cipher ${cipher}`)
      const client = plan.pick('client-cipher', ['cipher', 'fallback', 'list'])
      if (client === 'cipher') plan.onClient(`cipher ${cipher}`)
      if (client === 'fallback') plan.onClient(`data-ciphers-fallback ${cipher}`)
      if (client === 'list') plan.onClient(`data-ciphers AES-128-GCM:${cipher}`)
      break
    }
    case 'optional':
      if (release !== '2.5') plan.onServer('data-ciphers ?NO-SUCH:AES-256-GCM:?CHACHA20-POLY1305')
      plan.onClient(`data-ciphers ${release === '2.5' ? '' : '?BF-GCM:'}CHACHA20-POLY1305:AES-256-GCM`)
  }
  if (how === 'default' && plan.chance('digest-alone', 0.2)) drawDigest(plan)
  if (release !== '2.5' && plan.chance('compat-mode', 0.05)) plan.onClient('compat-mode 2.5.0')
}

function drawDigest(plan: Plan): void {
  if (plan.digest !== undefined) return
  // Without a digest of its own tls-auth has none either.
  const wrapped = plan.client.some((item) => 'words' in item && item.words[0] === 'tls-auth')
  plan.digest = plan.pick('auth', wrapped ? DIGESTS.filter((digest) => digest !== 'none') : DIGESTS)
  plan.both(`auth ${plan.digest}`)
}

/** Server's line, client's line, pushed. */
const FRAMINGS: Readonly<Record<string, readonly [server: string, client: string, pushed: string]>> = {
  'lzo-no': ['comp-lzo no', 'comp-lzo no', ''],
  'lzo-adaptive': ['comp-lzo adaptive', 'comp-lzo adaptive', ''],
  'lzo-yes': ['comp-lzo yes', 'comp-lzo', ''],
  'lzo-pushed': ['comp-lzo yes', '', 'comp-lzo yes'],
  'lzo-pushed-no': ['comp-lzo no', 'comp-lzo yes', 'comp-lzo no'],
  stub: ['compress', 'compress', ''],
  'stub-v2': ['compress stub-v2', 'compress stub-v2', ''],
  'stub-v2-pushed': ['compress stub-v2', '', 'compress stub-v2'],
  lzo: ['compress lzo', 'compress lzo', ''],
  lz4: ['compress lz4', 'compress lz4', ''],
  'lz4-v2': ['compress lz4-v2', 'compress lz4-v2', ''],
  'lz4-v2-pushed': ['compress lz4-v2', 'compress', 'compress lz4-v2'],
  'lz4-v2-alone': ['compress lz4-v2', '', 'compress lz4-v2'],
  migrate: ['compress migrate', 'comp-lzo no', ''],
  'migrate-lz4': ['compress migrate', 'compress lz4', ''],
}

/** Compression framing. */
export function drawCompression(plan: Plan): void {
  if (!plan.chance('comp', 0.2)) return
  const framing = plan.pick('framing', Object.keys(FRAMINGS))
  const [server, client, pushed] = FRAMINGS[framing]!
  if (framing.startsWith('migrate') && plan.release === '2.5') return
  plan.onServer('allow-compression yes')
  plan.onServer(server)
  plan.onClient(`allow-compression ${plan.pick('allow', ['asym', 'yes'])}`)
  if (client !== '') plan.onClient(client)
  if (pushed !== '') plan.push(pushed)
}

/** MTU, fragments, MSS, and how large the pings are. */
export function drawSizes(plan: Plan): void {
  const { random, release, transport } = plan
  if (plan.chance('tun-mtu', 0.2)) {
    const mtu = plan.pick('mtu', ['1400', '1280', '9000', '1500', '1300'])
    plan.mtu = Number(mtu)
    plan.both(`tun-mtu ${mtu}`)
  } else if (release !== '2.5' && plan.chance('pushed-mtu', 0.1)) {
    plan.mtu = 1380
    plan.onServer('tun-mtu 1380')
    plan.push('tun-mtu 1380')
  } else if (plan.chance('link-mtu', 0.04) && plan.device === 'tun') {
    plan.both('link-mtu 1500')
    plan.mtu = 1300
  }
  if (transport === 'udp' && plan.chance('fragment', 0.12)) {
    const size = plan.pick('fragment-size', ['1200', '700', '1400', '576'])
    plan.both(`fragment ${size}`)
  }
  if (plan.chance('mssfix', 0.3)) {
    const forms = ['mssfix', 'mssfix 0', 'mssfix 1300', 'mssfix 1450']
    if (release !== '2.5') forms.push('mssfix 1400 mtu', 'mssfix 1360 fixed')
    const form = plan.pick('mssfix-form', forms)
    plan.onClient(form)
    if (random.chance(0.5)) plan.onServer(form)
  }
  const largest = plan.mtu - (plan.args.includes('fd00:8::1') ? 48 : 28)
  const size = plan.pick('size', ['default', 'default', '0', '600', '1372', '1400', 'largest'])
  if (size !== 'default') plan.args.push('--size', `${size === 'largest' ? largest : Math.min(Number(size), largest)}`)
  if (plan.chance('many', 0.08)) plan.args.push('--count', '300', '--interval', '5')
  else plan.args.push('--count', '5', '--interval', '5')
}
