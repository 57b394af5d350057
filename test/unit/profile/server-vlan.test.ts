/** VLANs and stale routes of a server's profile. */
import { describe, expect, it } from 'vitest'
import { inspectProfile, parseProfile, toGrant, toServerConfig } from '../../../src/profile/index.ts'
import { toyPki } from '../../support/pki.ts'

const { ca, server } = toyPki('ed25519')
const TAP = `dev tap
server 10.8.0.0 255.255.255.0
dh none
<ca>
${ca.pem.trim()}
</ca>
<cert>
${server.pem.trim()}
</cert>
<key>
${server.keyPem.trim()}
</key>
`

describe('toServerConfig', () => {
  it('PROF-37 takes VLANs and the age of routes over', () => {
    expect(toServerConfig(parseProfile(TAP)).vlan).toBeUndefined()
    const plain = toServerConfig(parseProfile(`${TAP}vlan-tagging\nstale-routes-check 300\n`))
    expect([plain.vlan, plain.staleRoutes]).toEqual([
      { accept: 'all', pvid: 1 },
      { age: 300_000, interval: 300_000 },
    ])
    const whole = `${TAP}vlan-tagging\nvlan-accept tagged\nvlan-pvid 7\nstale-routes-check 300 20\n`
    const config = toServerConfig(parseProfile(whole))
    expect([config.vlan, config.staleRoutes]).toEqual([
      { accept: 'tagged', pvid: 7 },
      { age: 300_000, interval: 20_000 },
    ])
  })

  it('PROF-39 takes a client’s VLAN over', () => {
    const { profile } = inspectProfile('vlan-pvid 12\n', undefined, { context: 'per-client' })
    expect(toGrant(profile)).toEqual({ vlan: 12 })
  })
})
