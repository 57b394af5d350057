/**
 * `ovpn genkey`: the keys that OpenVPN needs beside certificates, in the reference's own file formats; and a toy PKI with
 * ready profiles.
 */
import { parseArgs } from 'node:util'
import { ConfigError, fromBase64, utf8Encode } from '../../bytes/index.ts'
import { AUTH_TOKEN_KEY_LENGTH, writeAuthTokenKey } from '../../control/index.ts'
import type { RandomSource } from '../../crypto/index.ts'
import {
  type ClientKeyMetadata,
  createTlsCryptV2Wrapper,
  generateStaticKey,
  generateTlsCryptV2ClientKey,
  generateTlsCryptV2ServerKey,
  parseTlsCryptV2ServerKey,
  writeStaticKey,
  writeTlsCryptV2ClientKey,
  writeTlsCryptV2ServerKey,
} from '../../wire/index.ts'
import { nodeCrypto } from '../crypto/index.ts'
import { nodeEnvironment } from '../driver.ts'
import { readInputAs, writePrivate } from './files.ts'
import { type PkiRequest, PKI_KEY_TYPES, PKI_WRAPS, writePkiFolder } from './genkey-pki.ts'
import { type CommandIo, CommandLineError, EXIT, integerOption } from './io.ts'

const HELP = `ovpn genkey: keys in the file formats of OpenVPN

usage: ovpn genkey TYPE [FILE] [options]

  secret                 a static key, for tls-auth, tls-crypt or secret
  tls-crypt-v2-server    a server key for tls-crypt-v2
  tls-crypt-v2-client    a client key for tls-crypt-v2; wants --tls-crypt-v2 SERVERKEY
  auth-token             the secret of auth-gen-token-secret
  pki DIR                a toy CA with server and client certificates, keys and ready .ovpn files, for tests only

Without FILE the key goes to standard output. Files are for their owner alone and never overwritten without --force.

  --tls-crypt-v2 FILE    the server key that wraps a client key
  --metadata BASE64      metadata of a client key, as for openvpn --genkey; --user TEXT: the same as plain text
                         (default: the time, which tls-crypt-v2-max-age needs)

For pki:
  --host ADDR            where clients find the server (default 127.0.0.1)
  --port N               its port (default 1194)
  --proto udp|tcp        (default udp)
  --clients N            client certificates (default 1)
  --days N               validity (default 30)
  --type TYPE            ${PKI_KEY_TYPES.join(', ')} (default P-256)
  --wrap WRAP            ${PKI_WRAPS.join(', ')} (default tls-crypt)

  --force                overwrite
  --json                 say what was written as one JSON object

Exit codes: 0 written, 1 it went wrong, 2 the command line is wrong or a file is in the way.`

const OPTIONS = {
  'tls-crypt-v2': { type: 'string' },
  metadata: { type: 'string' },
  user: { type: 'string' },
  host: { type: 'string', default: '127.0.0.1' },
  port: { type: 'string' },
  proto: { type: 'string', default: 'udp' },
  clients: { type: 'string' },
  days: { type: 'string' },
  type: { type: 'string', default: 'P-256' },
  wrap: { type: 'string', default: 'tls-crypt' },
  force: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const

type Values = ReturnType<typeof parseCommandLine>['values']

function parseCommandLine(args: readonly string[]) {
  return parseArgs({ args: [...args], allowPositionals: true, options: OPTIONS })
}

/** Runs `ovpn genkey`. */
export function runGenkey(args: readonly string[], io: CommandIo): number {
  const { values, positionals } = parseCommandLine(args)
  if (values.help) {
    io.out(HELP)
    return EXIT.ok
  }
  const [type, path, ...more] = positionals
  if (type === undefined) throw new CommandLineError('a type of key is wanted')
  if (more.length > 0) throw new CommandLineError(`one file is wanted, not also "${more.join(' ')}"`)
  const { random } = nodeEnvironment()
  if (type === 'pki') return writePki(path, values, random, io)
  const text = generate(type, values, random)
  if (path === undefined || path === '-') {
    io.out(values.json ? JSON.stringify({ event: 'key', type, text }) : text.trimEnd())
    return EXIT.ok
  }
  writePrivate(path, text, values.force)
  if (values.json) io.out(JSON.stringify({ event: 'key', type, file: path }))
  return EXIT.ok
}

function generate(type: string, values: Values, random: RandomSource): string {
  switch (type) {
    case 'secret':
      return writeStaticKey(generateStaticKey(random))
    case 'tls-crypt-v2-server':
      return writeTlsCryptV2ServerKey(generateTlsCryptV2ServerKey(random))
    case 'tls-crypt-v2-client':
      return generateClientKey(values, random)
    case 'auth-token':
      return writeAuthTokenKey(random(AUTH_TOKEN_KEY_LENGTH))
    default:
      throw new CommandLineError(
        `there is no type "${type}"; there are secret, tls-crypt-v2-server, tls-crypt-v2-client, auth-token and pki`,
      )
  }
}

function generateClientKey(values: Values, random: RandomSource): string {
  const path = values['tls-crypt-v2']
  if (path === undefined) throw new CommandLineError('a client key is made with a server key: --tls-crypt-v2 SERVERKEY')
  const wrapper = createTlsCryptV2Wrapper(nodeCrypto, readInputAs(path, parseTlsCryptV2ServerKey))
  try {
    return writeTlsCryptV2ClientKey(generateTlsCryptV2ClientKey(wrapper, random, readMetadata(values)))
  } catch (error) {
    if (error instanceof ConfigError || !(error instanceof Error)) throw error
    throw new CommandLineError(error.message)
  }
}

function readMetadata({ metadata, user }: Values): ClientKeyMetadata {
  if (metadata !== undefined && user !== undefined) throw new CommandLineError('either --metadata or --user')
  if (user !== undefined) return { type: 'user', data: utf8Encode(user) }
  if (metadata === undefined) return { type: 'timestamp', unixSeconds: Math.floor(Date.now() / 1000) }
  const data = fromBase64(metadata)
  if (data === undefined) throw new CommandLineError('--metadata wants base64; --user takes plain text')
  return { type: 'user', data }
}

function writePki(folder: string | undefined, values: Values, random: RandomSource, io: CommandIo): number {
  if (folder === undefined) throw new CommandLineError('pki wants a folder')
  const request: PkiRequest = {
    folder,
    type: oneOf('type', values.type, PKI_KEY_TYPES),
    wrap: oneOf('wrap', values.wrap, PKI_WRAPS),
    proto: oneOf('proto', values.proto, ['udp', 'tcp'] as const),
    host: values.host,
    port: integerOption('port', values.port, 1194, 1),
    days: integerOption('days', values.days, 30, 1),
    clients: integerOption('clients', values.clients, 1, 1),
    force: values.force,
  }
  const written = writePkiFolder(request, Date.now(), random)
  if (values.json) io.out(JSON.stringify({ event: 'pki', folder, files: written }))
  else {
    io.out(`${written.length} files in ${folder}. For tests only: the CA's key lies beside everything else.`)
    io.out(`  ovpn serve ${folder}/server.ovpn`)
    io.out(`  ovpn probe ${folder}/client1.ovpn`)
  }
  return EXIT.ok
}

function oneOf<T extends string>(name: string, text: string, known: readonly T[]): T {
  const found = known.find((word) => word === text)
  if (found === undefined) throw new CommandLineError(`--${name} wants one of ${known.join(', ')}, not "${text}"`)
  return found
}
