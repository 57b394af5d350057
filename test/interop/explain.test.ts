/**
 * `ovpn probe --explain` against each release: why this cipher, what was pushed and refused, in what both ends differ.
 */
import { describe, expect, it } from 'vitest'
import { clientConfig, generateStaticKey, SERVER_READY, serverConfig, type Tunnel } from './support/configs.ts'
import { withLab } from './support/lab.ts'
import { opensslPki } from './support/pki.ts'
import { probe, probeText } from './support/probe.ts'
import { RELEASES, releasesToTest } from './support/reference.ts'

const releases = releasesToTest()

/** What no server may push, what nobody knows, and what is out of range. */
const PUSHED = ['script-security 3', 'frobnicate 7', 'ping 999999999', 'route 10.1.0.0 255.255.0.0']

describe.each(RELEASES)('probe --explain against OpenVPN %s', (release) => {
  it.skipIf(!releases.includes(release))('tells the cipher’s story, each refusal and each difference', async () => {
    await withLab(async (lab) => {
      const tunnel: Tunnel = {
        transport: 'udp',
        wrap: 'tls-crypt',
        key: generateStaticKey(),
        pki: opensslPki('P-256'),
        server: `${PUSHED.map((line) => `push "${line}"`).join('\n')}\ntun-mtu 1400\n`,
        client: 'data-ciphers AES-128-GCM:CHACHA20-POLY1305',
      }
      const server = lab.openvpn(release, 'server', serverConfig(tunnel))
      await server.seen(SERVER_READY)
      const args = ['--count', '2', '--explain']
      const result = await probe(lab, clientConfig(tunnel), args)
      expect(result, `${result.output}\n${server.output()}`).toMatchObject({ code: 0, pings: 2 })
      const event = (name: string) => result.events.find((candidate) => candidate.event === name)
      // The server chooses by its own order: its list has AES-128-GCM before CHACHA20-POLY1305.
      expect(event('cipher')).toMatchObject({
        cipher: 'AES-128-GCM',
        offered: ['AES-128-GCM', 'CHACHA20-POLY1305'],
        by: 'pushed',
      })
      expect(event('push-received')?.['options']).toEqual(expect.arrayContaining(PUSHED))
      expect(event('push-refused')?.['refused']).toEqual([
        expect.objectContaining({ option: 'script-security', reason: 'not-pullable', text: PUSHED[0] }),
        expect.objectContaining({ option: 'frobnicate', reason: 'unknown-option', text: PUSHED[1] }),
        expect.objectContaining({
          option: 'ping',
          reason: 'bad-value',
          text: PUSHED[2],
          detail: 'a number from 0 to 86400',
        }),
      ])
      const differences = event('options-differ')?.['differences'] as { option: string }[]
      expect(differences.find(({ option }) => option === 'tun-mtu')).toEqual({
        option: 'tun-mtu',
        expected: 'tun-mtu 1500',
        actual: 'tun-mtu 1400',
        weight: 'breaks',
      })
      const { code, output } = await probeText(lab, clientConfig(tunnel), args)
      expect(code, output).toBe(0)
      expect(output).toContain('why AES-128-GCM: the server chose it from our list AES-128-GCM:CHACHA20-POLY1305')
      expect(output).toContain('pushed: route 10.1.0.0 255.255.0.0')
      expect(output).toContain('pushed option refused: script-security 3 (not-pullable')
      expect(output).toContain('pushed option refused: frobnicate 7 (unknown-option')
      expect(output).toContain(
        'options differ in tun-mtu: the other end has "tun-mtu 1400", ours would be "tun-mtu 1500"',
      )
    })
  })
})
