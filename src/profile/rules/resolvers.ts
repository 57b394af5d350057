/**
 * What `dns` lines say together, and names in them. PROF-16
 */
import { isPlainDomain } from '../directives/name-service.ts'
import { one, type Rule } from './rule.ts'

/** Rules about resolvers. */
export const resolverRules: readonly Rule[] = [
  {
    code: 'dependency',
    directive: 'dns',
    own: 'warning',
    refusedBy: { since: '2.6' },
    message: 'this server has no address',
    remedy: 'add "dns server", its number, "address" and the address',
    find: (view) => {
      const servers = view.profile.entriesOf('dns').filter(({ words }) => words[0] === 'server')
      const addressed = new Set(servers.filter(({ words }) => words[2] === 'address').map(({ words }) => words[1]))
      return one(servers.find(({ words }) => words[2] !== undefined && !addressed.has(words[1])))
    },
  },
  {
    code: 'bad-argument',
    directive: 'dns',
    own: 'warning',
    refusedBy: { since: '2.7' },
    message: 'a name in it has characters that no domain has',
    remedy: 'write letters, digits, hyphens, underscores and dots',
    find: (view) =>
      view.profile.entriesOf('dns').filter(({ words: [subject, second = '', form, ...values] }) => {
        if (subject === 'search-domains') return ![second, form ?? '', ...values].every(isPlainDomain)
        return (form === 'resolve-domains' || form === 'sni') && !values.every(isPlainDomain)
      }),
  },
]
