/** What `ovpn serve` reads from disk: profile, leases, files of clients. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { noble } from '../../../src/crypto/index.ts'
import { loadServePlan, type ServePlan, writeLeases } from '../../../src/node/command/serve-plan.ts'
import { toyPki } from '../../support/pki.ts'
import { SeededRandom } from '../../support/random.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

const { ca, server } = toyPki('ed25519')
const block = (name: string, text: string): string => `<${name}>\n${text.trim()}\n</${name}>\n`
const IDENTITY = block('ca', ca.pem) + block('cert', server.pem) + block('key', server.keyPem) + 'dh none\n'

/** A profile in a folder of its own, beside other files. */
function plan(lines: string, files: Readonly<Record<string, string>> = {}): { plan: ServePlan; folder: string } {
  const folder = mkdtempSync(join(tmpdir(), 'ovpn-serve-'))
  folders.push(folder)
  mkdirSync(join(folder, 'ccd'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  const path = join(folder, 'server.conf')
  writeFileSync(path, `${lines}\n${IDENTITY}`)
  return { plan: loadServePlan(path, noble, new SeededRandom('serve').source), folder }
}

const TUN = 'dev tun\nserver 10.8.0.0 255.255.255.0'

describe('loadServePlan', () => {
  it('ifconfig-pool-persist: leases of an earlier run come in, and go out in the same form', () => {
    const text = '# a comment\nada,10.8.0.9,\nbob,,fd00::1005\nbroken\n'
    const { folder, plan: loaded } = plan(`${TUN}\nifconfig-pool-persist leases`, { leases: text })
    expect(loaded.config.leases).toEqual([
      { commonName: 'ada', ipv4: '10.8.0.9' },
      { commonName: 'bob', ipv6: 'fd00::1005' },
      { commonName: 'broken' },
    ])
    writeLeases(loaded.leaseFile!, [{ commonName: 'eve', ipv4: '10.8.0.2', ipv6: 'fd00::1000' }, { commonName: 'x' }])
    expect(readFileSync(join(folder, 'leases'), 'utf8')).toBe('eve,10.8.0.2,fd00::1000\nx,,\n')
    expect(plan(`${TUN}\nifconfig-pool-persist none-yet`).plan.config.leases).toEqual([])
    // A name that would be read as two leases, or as none, is left out.
    const names = ['eve\nadmin,10.8.0.9', 'eve,10.8.0.9', '#eve', 'Jörg B.']
    const given = names.map((commonName) => ({ commonName, ipv4: '10.8.0.3' }))
    writeLeases(loaded.leaseFile!, given)
    expect(readFileSync(join(folder, 'leases'), 'utf8')).toBe('Jörg B.,10.8.0.3,\n')
  })

  it('client-config-dir: a client’s file, else DEFAULT, else nothing or nobody', () => {
    const files = {
      'ccd/ada': 'ifconfig-push 10.8.0.50 255.255.255.0\niroute 10.9.0.0 255.255.0.0\npush-reset\n',
      'ccd/eve': 'disable\n',
      'ccd/worse': 'push "route 1.2.3.4\n',
    }
    const { folder, plan: loaded } = plan(`${TUN}\nclient-config-dir ccd`, files)
    const grant = (name: string | undefined) => loaded.clientConfig!.grantFor(name)
    expect(loaded.config.admission).toBe('ask')
    expect(grant('ada')).toMatchObject({ ifconfig: { local: '10.8.0.50' }, routes: ['10.9.0.0/16'], pushReset: true })
    expect(grant('eve')).toBe('this client is disabled')
    expect(grant('nobody')).toEqual({})
    // A file that is not written well keeps its client out, with a reason, and never throws.
    mkdirSync(join(folder, 'ccd', 'folder'))
    for (const name of ['worse', 'folder']) expect(grant(name), name).toEqual(expect.any(String))
    for (const name of ['../ada', '..', '', '.', 'a/b', undefined]) expect(grant(name)).toEqual({})
    // Names are people's: whatever a file may be called is found, and nothing leads out of the directory.
    writeFileSync(join(folder, 'ada'), 'disable\n')
    for (const name of ['Jörg B.', 'ada+vpn@example.com', '.hidden', '-x', 'client #1', '(a)', '日本']) {
      expect(grant(name)).toEqual({})
      writeFileSync(join(folder, 'ccd', name), 'disable\n')
      expect(grant(name), name).toBe('this client is disabled')
    }
    writeFileSync(join(folder, 'ccd', '.._ada'), 'disable\n')
    for (const name of ['../ada', '..\nada', '..\0ada']) expect(grant(name), name).toBe('this client is disabled')
    const byDefault = plan(`${TUN}\nclient-config-dir ccd`, { 'ccd/DEFAULT': 'push "route 10.1.0.0 255.255.0.0"\n' })
    expect(byDefault.plan.clientConfig!.grantFor('anybody')).toEqual({ push: ['route 10.1.0.0 255.255.0.0'] })
    const exclusive = plan(`${TUN}\nclient-config-dir ccd\nccd-exclusive`)
    expect(exclusive.plan.clientConfig!.grantFor('anybody')).toBe('there is no file for this client')
  })

  it('PROF-11 files that are written or looked at later lie beside the profile, or where cd leads', () => {
    const lines = `${TUN}\nclient-config-dir src\nifconfig-pool-persist package.json`
    const { folder, plan: loaded } = plan(lines, {})
    // Both names are there in the working directory of the tests, too.
    expect(loaded.leaseFile).toBe(join(folder, 'package.json'))
    expect(loaded.config.leases).toEqual([])
    const moved = plan(`${TUN}\ncd ccd\nifconfig-pool-persist leases`, { 'ccd/leases': 'ada,10.8.0.9,\n' })
    expect(moved.plan.leaseFile).toBe(join(moved.folder, 'ccd', 'leases'))
    expect(moved.plan.config.leases).toEqual([{ commonName: 'ada', ipv4: '10.8.0.9' }])
  })

  it('says which programs of the profile are not started', () => {
    const { plan: loaded } = plan(
      `${TUN}\nscript-security 2\nclient-connect ./gate.sh\nauth-user-pass-verify /bin/true`,
    )
    expect(loaded.warnings.filter((line) => line.includes('not started'))).toEqual([
      expect.stringMatching(/server\.conf:4: client-connect: not started; of a profile’s programs only/),
    ])
  })

  it('server-bridge in its three forms, ifconfig-push-constraint, several sockets', () => {
    const bridged = plan('dev tap\nserver-bridge 10.4.0.1 255.255.255.0 10.4.0.50 10.4.0.60').plan.config
    expect(bridged.addresses.ipv4).toMatchObject({
      server: '10.4.0.1',
      pool: { first: '10.4.0.50', last: '10.4.0.60' },
    })
    expect(plan('dev tap\nserver-bridge').plan.config.addresses.push).toEqual(['route-gateway dhcp'])
    expect(plan('dev tap\nserver-bridge nogw').plan.config.addresses.push).toEqual([])
    const constrained = plan(`${TUN}\nifconfig-push-constraint 10.8.0.0 255.255.0.0`).plan.config
    expect(constrained.pushConstraint).toBe('10.8.0.0/16')
    const sockets = plan(`${TUN}\nlocal 127.0.0.1 1194 udp4\nlocal 127.0.0.1 443 tcp4`).plan.listen
    expect(sockets).toEqual([
      { protocol: 'udp', port: 1194, host: '127.0.0.1', family: 4 },
      { protocol: 'tcp', port: 443, host: '127.0.0.1', family: 4 },
    ])
  })
})
