/**
 * Commands of the reference's program that are spelled like directives: they print or make something and end.
 *
 * In a configuration file they make no sense, so a profile with one is refused; on the reference's own command line they
 * are how it is told what to do.
 */
import { optional, rest, text } from '../argument.ts'
import { directive } from '../directive.ts'

const tool = (does: string) => directive([], { status: 'refused', tool: true, does })

/** Commands that print or make something. */
export const toolDirectives = {
  genkey: directive([optional(text('type')), optional(text('file')), optional(text('extra'))], {
    status: 'refused',
    tool: true,
    does: 'Makes keys. `ovpn genkey` does that here.',
    counts: { '2.4': [0, 0] },
  }),
  help: directive([rest(text('word'))], { status: 'refused', tool: true, does: 'Prints a help text.' }),
  mktun: tool('Makes a persistent device.'),
  rmtun: tool('Removes a persistent device.'),
  'show-adapters': directive([], { status: 'refused', tool: true, only: 'Windows', does: 'Lists Windows adapters.' }),
  'show-ciphers': tool('Lists data ciphers.'),
  'show-curves': tool('Lists groups.'),
  'show-digests': tool('Lists digests.'),
  'show-engines': tool('Lists engines.'),
  'show-gateway': directive([optional(text('address'))], {
    status: 'refused',
    tool: true,
    does: 'Prints the default gateway.',
  }),
  'show-groups': directive([], { status: 'refused', tool: true, since: '2.5', does: 'Lists groups.' }),
  'show-net': directive([], { status: 'refused', tool: true, only: 'Windows', does: 'Prints network tables.' }),
  'show-pkcs11-ids': directive([optional(text('module')), optional(text('flag'))], {
    status: 'refused',
    tool: true,
    does: 'Lists hardware keys.',
  }),
  'show-tls': tool('Lists TLS suites.'),
  'show-valid-subnets': directive([], { status: 'refused', tool: true, only: 'Windows', does: 'Lists valid subnets.' }),
  version: tool('Prints the version.'),
} as const
