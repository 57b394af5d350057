/**
 * Questions of a login, put to the person at the terminal one by one.
 */
import type { CredentialsRequest } from '../../client/index.ts'
import type { Credentials } from '../../session/index.ts'

/** Asks a question; undefined: no answer was given. */
export type Ask = (question: string, echo: boolean) => Promise<string | undefined>

/** What a client asks for before an attempt. */
export async function askLogin(ask: Ask, request: CredentialsRequest): Promise<Credentials | undefined> {
  const { challenge, knownUsername, username } = request
  if (username !== undefined) return await askText(ask, challenge?.text ?? 'Answer', challenge?.echo ?? false)
  const name = knownUsername ?? (await ask('Username: ', true))
  const password = name === undefined ? undefined : await ask('Password: ', false)
  if (name === undefined || password === undefined) return undefined
  if (challenge === undefined) return { type: 'password', username: name, password }
  const response = await ask(`${challenge.text}: `, challenge.echo)
  return response === undefined ? undefined : { type: 'password', username: name, password, response }
}

/** One question of the server's. */
export async function askText(ask: Ask, text: string, echo: boolean): Promise<Credentials | undefined> {
  const response = await ask(`${text}: `, echo)
  return response === undefined ? undefined : { type: 'response', response }
}
