/**
 * Unpacks the reference OpenVPN releases that Debian's own package does not cover: 2.5 (bullseye) and 2.7 (forky) under
 * `.reference/2.5` and `.reference/2.7`, as root file systems that the interop tests enter with chroot.
 * 2.6 is the installed `openvpn` of bookworm. Needs root and debootstrap; a root that is already whole is left alone.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const base = new URL('../.reference/', import.meta.url).pathname
const releases = [
  { version: '2.5', suite: 'bullseye', script: 'bullseye' },
  { version: '2.7', suite: 'forky', script: 'trixie' },
]

/** The Debian mirror this machine's apt already uses. */
function mirror() {
  const listed = execFileSync('apt-get', ['indextargets', '--format', '$(SITE)'], { encoding: 'utf8' })
  const sites = [...new Set(listed.split('\n'))]
  return sites.find((site) => /\/debian\/?$/.test(site)) ?? ''
}

function versionOf(root) {
  const run = spawnSync('chroot', [root, '/usr/sbin/openvpn', '--version'], { encoding: 'utf8' })
  return /OpenVPN (\d+\.\d+)\.?\S*/.exec(run.stdout ?? '')?.[0]
}

let failed = 0
mkdirSync(base, { recursive: true })
for (const { version, suite, script } of releases) {
  const root = join(base, version)
  const present = existsSync(root) ? versionOf(root) : undefined
  if (present?.startsWith(`OpenVPN ${version}`)) {
    console.log(`${version}: ${present} is unpacked`)
    continue
  }
  if (process.getuid?.() !== 0) {
    console.error(`${version}: needs root to unpack`)
    failed++
    continue
  }
  rmSync(root, { recursive: true, force: true })
  const args = ['--variant=minbase', '--include=openvpn,iproute2,iputils-ping', suite, root]
  const site = mirror()
  if (site !== '') args.push(site, `/usr/share/debootstrap/scripts/${script}`)
  console.log(`${version}: debootstrap ${suite}`)
  const run = spawnSync('debootstrap', args, { encoding: 'utf8', maxBuffer: 1 << 26 })
  const found = run.status === 0 ? versionOf(root) : undefined
  if (!found?.startsWith(`OpenVPN ${version}`)) {
    console.error(
      `${version}: failed: ${run.error?.message ?? (run.stdout + run.stderr).split('\n').slice(-6).join('\n')}`,
    )
    failed++
    continue
  }
  spawnSync('rm', ['-rf', join(root, 'var/cache/apt'), join(root, 'var/lib/apt/lists')])
  console.log(`${version}: ${found}`)
}
process.exitCode = failed === 0 ? 0 : 1
