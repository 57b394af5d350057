/**
 * A server of a profile with a person behind it: calls of the server come as JSON arrays on standard input, such as
 * `["deny",1,"not you"]`. Prints its events, and what each call returned, one JSON object a line. Pings to the server's own
 * addresses are answered.
 *
 * Run: `node --import tsx desk.child.ts PROFILE automatic|ask [RECORDING]`; with `ask` every login waits for an answer.
 */
import { appendFileSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { StandIn } from '../../../src/node/command/serve-inside.ts'
import { loadServePlan } from '../../../src/node/command/serve-plan.ts'
import { nodeCrypto } from '../../../src/node/crypto/index.ts'
import { nodeEnvironment } from '../../../src/node/driver.ts'
import { ServerDriver } from '../../../src/node/server-driver.ts'
import { recordServer } from '../../../src/record/index.ts'
import { Server } from '../../../src/server/index.ts'
import { SecretText } from '../../../src/session/index.ts'

const [profile = '', admission, recording] = process.argv.slice(2)
const environment = nodeEnvironment()
const plan = loadServePlan(profile, nodeCrypto, environment.random)

function say(line: object): void {
  const text = JSON.stringify(line, (name, value: unknown) => {
    if (value instanceof SecretText) return value.reveal()
    return value instanceof Uint8Array || name === 'certificates' ? undefined : value
  })
  process.stdout.write(`${text}\n`)
}

function create(): Server {
  const config = { ...plan.config, admission: admission === 'ask' ? ('ask' as const) : ('automatic' as const) }
  if (recording === undefined) return new Server(config, environment)
  writeFileSync(recording, '')
  return recordServer(config, environment, (line) => {
    appendFileSync(recording, `${line}\n`)
  })
}

const driver = new ServerDriver(create(), {
  packet: (_client, data) => {
    inside.take(data)
  },
  event: (client, { type, ...fields }) => {
    say({ event: type, ...(client === undefined ? {} : { client }), ...fields })
    if (type === 'server-closed') setTimeout(() => process.exit(0), 20)
  },
})
const inside = new StandIn(plan, (packet) => {
  driver.input((server, now) => server.send(packet, now))
})

/** Calls take the time last, but for `defer`, whose request comes behind it. */
function call(line: string): void {
  const [method, ...args] = JSON.parse(line) as readonly [string, ...unknown[]]
  const result = driver.input((server, now) => {
    const methods = server as unknown as Readonly<Record<string, (...args: readonly unknown[]) => unknown>>
    return method === 'defer'
      ? methods['defer']!.call(server, args[0], args[1], now, ...args.slice(2))
      : methods[method]!.call(server, ...args, now)
  })
  say({ event: 'called', method, result })
}

for (const target of plan.listen) await driver.listen(target)
createInterface({ input: process.stdin }).on('line', call)
say({ event: 'listening' })
