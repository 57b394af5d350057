/**
 * A server that changes what its clients were pushed: SIGUSR1 gives all of them a route, SIGUSR2 takes it back. Prints its
 * events as `ovpn serve --json` does, and how many clients were told.
 */
import { readFileSync } from 'node:fs'
import { nodeEnvironment } from '../../../src/node/driver.ts'
import { ServerDriver } from '../../../src/node/server-driver.ts'
import { nodeCrypto } from '../../../src/node/crypto/index.ts'
import { inspectProfile, toServerConfig } from '../../../src/profile/index.ts'
import { Server } from '../../../src/server/index.ts'
import { parseEcho, replyTo } from '../../../src/node/echo.ts'
import { PORT } from './configs.ts'

const [file] = process.argv.slice(2)
const { profile } = inspectProfile(readFileSync(file!, 'utf8'))
const environment = nodeEnvironment()
const config = toServerConfig(profile, { crypto: nodeCrypto, authTokenKey: environment.random(128) })
const say = (line: object): void => {
  console.log(JSON.stringify(line))
}
const driver = new ServerDriver(new Server(config, environment), {
  packet: (_client, data) => {
    const echo = parseEcho(data)
    if (echo?.kind === 'request') driver.server.send(replyTo(echo), performance.now())
  },
  event: (client, { type }) => {
    say({ event: type, client })
  },
})
await driver.listen({ protocol: 'udp', port: PORT, family: 4 })
process.on('SIGUSR1', () => {
  say({ told: driver.input((server, now) => server.pushUpdate(undefined, ['route 10.66.0.0 255.255.255.0'], now)) })
})
process.on('SIGUSR2', () => {
  say({ 'taken-back': driver.input((server, now) => server.pushUpdate(undefined, ['-route'], now)) })
})
say({ event: 'listening' })
