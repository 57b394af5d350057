/**
 * `npm run bench [-- NAME]`: runs the benches of one or all subjects. Every figure is taken side by side with its yardstick
 * in the same process; the ratios are what to keep, and the last line is all of it as JSON.
 */
const SUBJECTS: Readonly<Record<string, () => Promise<unknown>>> = {
  crypto: async () => (await import('./crypto.ts')).runCryptoBench(),
  data: async () => (await import('./data.ts')).runDataBench(),
  handshake: async () => (await import('./handshake.ts')).runHandshakeBench(),
  connect: async () => (await import('./connect.ts')).runConnectBench(),
  server: async () => (await import('./server.ts')).runServerBench(),
  tunnel: async () => (await import('./tunnel.ts')).runTunnelBench(),
  profile: async () => (await import('./profile.ts')).runProfileBench(),
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !Object.hasOwn(SUBJECTS, name))
if (unknown.length > 0) {
  console.error(`there is no bench "${unknown.join(', ')}"; there are ${Object.keys(SUBJECTS).join(', ')}`)
  process.exit(2)
}
const results: Record<string, unknown> = {}
for (const [name, run] of Object.entries(SUBJECTS)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  console.log(`== ${name}`)
  results[name] = await run()
}
console.log(JSON.stringify(results))
