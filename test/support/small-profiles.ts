/** The least that each kind of profile needs, to be broken in one place, and what is then said of it. */
import { inspectProfile } from '../../src/profile/index.ts'

export const CLIENT = 'client\ndev tun\nremote vpn.example.com\nremote-cert-tls server\nca c\ncert c\nkey k\n'
export const SERVER = 'dev tun\nserver 10.8.0.0 255.255.255.0\ntopology subnet\ndh none\nca c\ncert c\nkey k\n'
export const PEER = 'dev tun\ntls-client\nremote a\nifconfig 10.8.0.1 10.8.0.2\nca c\ncert c\nkey k\n'

/** Severity and code of the first finding about a directive that is more than a note. */
export const about = (text: string, directive: string): string | undefined =>
  inspectProfile(text)
    .problems.filter(({ severity, directive: name }) => severity !== 'note' && name === directive)
    .map(({ code, severity }) => `${severity} ${code}`)
    .at(0)
