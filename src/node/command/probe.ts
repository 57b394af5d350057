/**
 * `ovpn probe`: brings a profile's tunnel up in user space, pings through it, says what was negotiated and closes.
 *
 * Needs neither root nor a tun device: the pings are built here (pinger.ts). Each remote of the profile is tried once until
 * one connects, through its proxy where it has one.
 */
import { parseArgs } from 'node:util'
import { enumerate } from './enumerate.ts'
import { appendPrivate, createRecording } from './files.ts'
import { type CommandIo, CommandLineError, EXIT, integerOption, numberOption } from './io.ts'
import { addressBytes, loadPlan } from './plan.ts'
import { jsonReporter, textReporter } from './probe-report.ts'
import { Probe, type ProbeRequest } from './probe-run.ts'

const HELP = `ovpn probe: connect a profile in user space, ping through the tunnel, say what was negotiated

usage: ovpn probe FILE [options]

  --ping ADDR      address to ping inside the tunnel (default: the pushed gateway)
  --count N        pings to send (default 4; 0: connect only)
  --interval MS    pause between pings (default 50)
  --size BYTES     ICMP payload (default 56)
  --require N      fewest replies that count as success (default: all)
  --timeout S      give up after so many seconds in all (default 30)
  --response TEXT  answers the question that comes with the login
  --keep           when the tunnel breaks, reconnect as the profile says and go on pinging
  --keylog FILE    add the session's secrets to FILE, for ovpn decode and Wireshark: whoever has them and a capture
                   reads everything; keep the file to yourself and delete it
  --record FILE    write everything that the client is told to FILE, for ovpn replay and decode: a bug report in one file.
                   It holds the profile's keys and passwords too
  --enumerate      do not connect: find out which wraps, TLS versions, groups and suites the first remote takes, its
                   certificates, and how fast it answers; one handshake at a time, none of them finished
  --patience S     with --enumerate: how long one answer may take (default 3)
  --explain        also say why this cipher, which pushed options were refused, how both ends' options differ
  --json           one JSON object a line instead of text

No root and no tun device are needed. Files that the profile names are looked for in the profile's own folder, or where its
"cd" leads. A name and a password that it lacks are asked for at the terminal; from a pipe, its lines are the answers.

Exit codes: 0 connected and pinged, 1 not, 2 the profile cannot work.`

/** Runs `ovpn probe`. */
export async function runProbe(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      ping: { type: 'string' },
      count: { type: 'string' },
      interval: { type: 'string' },
      size: { type: 'string' },
      require: { type: 'string' },
      timeout: { type: 'string' },
      response: { type: 'string' },
      keep: { type: 'boolean', default: false },
      explain: { type: 'boolean', default: false },
      enumerate: { type: 'boolean', default: false },
      patience: { type: 'string' },
      keylog: { type: 'string' },
      record: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) {
    io.out(HELP)
    return EXIT.ok
  }
  const [file, ...more] = positionals
  if (file === undefined || more.length > 0) throw new CommandLineError('exactly one profile is wanted')
  if (values.enumerate) {
    const patience = numberOption('patience', values.patience, 3) * 1000
    return await enumerate(loadPlan(file), { patience, json: values.json }, io)
  }
  const count = integerOption('count', values.count, 4)
  const request: ProbeRequest = {
    ping: values.ping === undefined ? undefined : pingAddress(values.ping),
    count,
    interval: numberOption('interval', values.interval, 50),
    size: integerOption('size', values.size, 56),
    require: integerOption('require', values.require, count),
    timeout: numberOption('timeout', values.timeout, 30) * 1000,
    response: values.response,
    keep: values.keep,
    explain: values.explain,
    keyLog: values.keylog === undefined ? undefined : appendPrivate(values.keylog),
    record: values.record === undefined ? undefined : createRecording(values.record),
  }
  if (request.require > count) throw new CommandLineError(`--require ${request.require} is more than --count ${count}`)
  const plan = loadPlan(file)
  const reporter = values.json ? jsonReporter(io) : textReporter(io, values.explain)
  reporter.warnings(plan.warnings)
  return await new Probe(plan, request, reporter).run()
}

function pingAddress(text: string): Uint8Array {
  const bytes = addressBytes(text)
  if (bytes === undefined) throw new CommandLineError(`--ping wants an IPv4 or IPv6 address, not "${text}"`)
  return bytes
}
