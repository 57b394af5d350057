/**
 * The options string of whole profiles, as the releases write it for the same lines: what `openvpn --verb 8` shows as its
 * local options string, less what all of them have in common.
 */
import { describe, expect, it } from 'vitest'
import { writeOptionsString } from '../../../src/control/index.ts'
import { nodeCrypto } from '../../../src/node/crypto/index.ts'
import { parseProfile, toSessionConfig } from '../../../src/profile/index.ts'
import { optionsInput } from '../../../src/session/agreement.ts'
import { resolveConfig } from '../../../src/session/validate.ts'
import { toyPki } from '../../support/pki.ts'

const { ca, client } = toyPki('P-256')
const block = (name: string, text: string): string => `<${name}>\n${text.trim()}\n</${name}>\n`
const IDENTITY = block('ca', ca.pem) + block('cert', client.pem) + block('key', client.keyPem)
const CLIENT = `client\ndev tun\nremote 192.0.2.1\n${IDENTITY}`

function written(lines: string): string {
  const config = resolveConfig(toSessionConfig(parseProfile(CLIENT + lines)), nodeCrypto)
  const text = writeOptionsString(optionsInput(config))
  return text
    .replace('V4,dev-type tun,', '')
    .replace('tun-mtu 1500,proto UDPv4,', '')
    .replace(',key-method 2,tls-client', '')
}

describe('the options string of a profile', () => {
  it.each([
    ['', 'link-mtu 1541,auth SHA1,keysize 128'],
    ['cipher AES-256-GCM', 'link-mtu 1549,cipher AES-256-GCM,auth [null-digest],keysize 256'],
    ['cipher AES-128-GCM', 'link-mtu 1549,cipher AES-128-GCM,auth [null-digest],keysize 128'],
    ['data-ciphers AES-256-CBC', 'link-mtu 1541,auth SHA1,keysize 128'],
    [
      'data-ciphers AES-256-GCM:AES-256-CBC\ncipher AES-256-CBC',
      'link-mtu 1557,cipher AES-256-CBC,auth SHA1,keysize 256',
    ],
    ['data-ciphers AES-256-GCM\ncipher AES-256-CBC', 'link-mtu 1557,auth SHA1,keysize 256'],
    ['data-ciphers AES-256-GCM\ncipher AES-256-CBC\nauth SHA256', 'link-mtu 1569,auth SHA256,keysize 256'],
    ['data-ciphers-fallback AES-256-CBC', 'link-mtu 1557,auth SHA1,keysize 256'],
    ['data-ciphers-fallback AES-256-GCM', 'link-mtu 1549,cipher AES-256-GCM,auth [null-digest],keysize 256'],
    [
      'data-ciphers AES-256-GCM:AES-256-CBC\ndata-ciphers-fallback AES-256-CBC',
      'link-mtu 1557,cipher AES-256-CBC,auth SHA1,keysize 256',
    ],
    [
      'data-ciphers AES-256-GCM\ncipher AES-128-CBC\ndata-ciphers-fallback AES-256-CBC',
      'link-mtu 1557,auth SHA1,keysize 256',
    ],
    [
      'data-ciphers AES-256-GCM\ndata-ciphers-fallback AES-256-CBC\ncipher AES-128-CBC',
      'link-mtu 1557,auth SHA1,keysize 128',
    ],
    ['data-ciphers AES-256-GCM\ncipher BF-CBC', 'link-mtu 1541,auth SHA1,keysize 128'],
    [
      'compat-mode 2.4.0\ndata-ciphers AES-256-GCM\ncipher AES-256-CBC',
      'link-mtu 1557,cipher AES-256-CBC,auth SHA1,keysize 256',
    ],
  ])('NEG-28 %j: as 2.6 and 2.7 write it', (lines, text) => {
    expect(written(lines)).toBe(text)
  })

  it('NEG-28 a cipher that joins the default list shows, as with 2.5', () => {
    expect(written('cipher AES-256-CBC')).toBe('link-mtu 1557,cipher AES-256-CBC,auth SHA1,keysize 256')
  })
})
