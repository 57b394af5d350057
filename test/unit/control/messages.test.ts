import { describe, expect, it } from 'vitest'
import { UsageError } from '../../../src/bytes/index.ts'
import {
  type ControlMessage,
  decodeResponse,
  encodeResponse,
  parseControlMessage,
  parseDynamicChallenge,
  parseDynamicResponse,
  parseStaticResponse,
  writeControlMessage,
  writeDynamicChallenge,
  writeDynamicResponse,
  writeStaticResponse,
} from '../../../src/control/index.ts'

const refused = (message: string): ControlMessage => ({ type: 'auth-failed', failure: { type: 'refused', message } })

describe('control messages', () => {
  it.each<[string, ControlMessage]>([
    ['PUSH_REQUEST', { type: 'push-request' }],
    ['PUSH_REPLY', { type: 'push-reply', options: '' }],
    ['PUSH_REPLY,ping 10,peer-id 0', { type: 'push-reply', options: 'ping 10,peer-id 0' }],
    ['PUSH_UPDATE,-route,route 10.0.0.0', { type: 'push-update', options: '-route,route 10.0.0.0' }],
    ['AUTH_FAILED', refused('')],
    ['AUTH_FAILED,wrong password', refused('wrong password')],
    ['AUTH_FAILED,SESSION: expired', { type: 'auth-failed', failure: { type: 'session', message: 'expired' } }],
    [
      'AUTH_FAILED,TEMP[backoff 42,advance remote]:full',
      {
        type: 'auth-failed',
        failure: { type: 'temporary', message: 'full', backoffSeconds: 42, advance: 'remote' },
      },
    ],
    [
      'AUTH_FAILED,CRV1:R,E:state:dXNlcg==:Your code: now',
      {
        type: 'auth-failed',
        failure: {
          type: 'challenge',
          challenge: {
            text: 'Your code: now',
            username: 'user',
            stateId: 'state',
            echo: true,
            responseRequired: true,
          },
        },
      },
    ],
    ['AUTH_PENDING', { type: 'auth-pending', timeoutSeconds: undefined }],
    ['AUTH_PENDING,timeout 240', { type: 'auth-pending', timeoutSeconds: 240 }],
    ['INFO,hello', { type: 'info', text: 'hello' }],
    [
      'INFO_PRE,CR_TEXT:R:Enter the code: ',
      { type: 'info-pre', request: { type: 'text', text: 'Enter the code: ', echo: false, responseRequired: true } },
    ],
    [
      'INFO_PRE,WEB_AUTH:hidden,external:https://a.example/x?y=1',
      {
        type: 'info-pre',
        request: { type: 'web-auth', url: 'https://a.example/x?y=1', flags: ['hidden', 'external'] },
      },
    ],
    [
      'INFO_PRE,OPEN_URL:https://a.example:8443/x',
      { type: 'info-pre', request: { type: 'open-url', url: 'https://a.example:8443/x' } },
    ],
    ['INFO_PRE,other', { type: 'info-pre', request: { type: 'other', text: 'other' } }],
    ['RESTART', { type: 'restart', advance: false, keepCredentials: false, text: '' }],
    ['RESTART,[N]', { type: 'restart', advance: true, keepCredentials: false, text: '' }],
    ['RESTART,[NP]bye', { type: 'restart', advance: true, keepCredentials: true, text: 'bye' }],
    ['HALT,[P]', { type: 'halt', keepCredentials: true, text: '' }],
    ['HALT,license', { type: 'halt', keepCredentials: false, text: 'license' }],
    ['CR_RESPONSE,MTIz', { type: 'cr-response', response: 'MTIz' }],
    ['EXIT', { type: 'exit' }],
    ['RELAY_X', { type: 'unknown', text: 'RELAY_X' }],
  ])('MSG-5 reads and writes %s', (text, message) => {
    expect(parseControlMessage(text)).toEqual(message)
    expect(writeControlMessage(message)).toBe(text)
  })

  it('MSG-5 matches by prefix, in order', () => {
    const types = {
      AUTH_FAILEDx: 'auth-failed',
      RESTARTED: 'restart',
      INFO_PREx: 'info-pre',
      INFORM: 'info',
      EXITING: 'exit',
      PUSH_REQUESTED: 'unknown',
      PUSH_UPDATE: 'unknown',
      PUSH_: 'unknown',
      push_request: 'unknown',
      '': 'unknown',
    }
    for (const [text, type] of Object.entries(types)) expect(parseControlMessage(text).type).toBe(type)
  })

  it('MSG-6 a challenge that cannot be read is a refusal with its text', () => {
    for (const reason of ['CRV1:R:s', 'CRV1:R:s:???:text', 'CRV1:'])
      expect(parseControlMessage(`AUTH_FAILED,${reason}`)).toEqual(refused(reason))
  })

  it.each([
    ['TEMP', undefined, undefined, ''],
    ['TEMP:later', undefined, undefined, 'later'],
    ['TEMP[]:x', undefined, undefined, 'x'],
    ['TEMP[backoff 0]', 0, undefined, ''],
    ['TEMP[backoff 86400]', 86_400, undefined, ''],
    ['TEMP[backoff 86401]', undefined, undefined, ''],
    ['TEMP[backoff -1,advance addr]:x', undefined, 'addr', 'x'],
    ['TEMP[backoff 1e9]', undefined, undefined, ''],
    ['TEMP[backoff 0x10,advance no]', undefined, 'no', ''],
    ['TEMP[advance sideways,future flag,backoff 5]:m', 5, undefined, 'm'],
    ['TEMP[backoff 5', undefined, undefined, ''],
  ])('MSG-7 reads %s', (reason, backoffSeconds, advance, message) => {
    expect(parseControlMessage(`AUTH_FAILED,${reason}`)).toEqual({
      type: 'auth-failed',
      failure: { type: 'temporary', message, backoffSeconds, advance },
    })
  })

  it('MSG-8 N advances and P preserves', () => {
    expect(parseControlMessage('RESTART,[P]')).toMatchObject({ advance: false, keepCredentials: true })
    expect(parseControlMessage('RESTART,[N')).toMatchObject({ advance: true, keepCredentials: false, text: '' })
    expect(parseControlMessage('RESTART,N')).toMatchObject({ advance: false, text: 'N' })
  })

  it.each(['0', '-1', '86401', '4294967296', '1e3', '0x10', '', ' 5', '99999999999999999999'])(
    'MSG-9 timeout %s is as none',
    (value) => {
      expect(parseControlMessage(`AUTH_PENDING,timeout ${value}`)).toEqual({
        type: 'auth-pending',
        timeoutSeconds: undefined,
      })
    },
  )

  it('MSG-9 unknown keywords are skipped', () => {
    expect(parseControlMessage('AUTH_PENDING,future x,timeout 7')).toMatchObject({ timeoutSeconds: 7 })
  })

  it('MSG-10 incomplete requests are text', () => {
    for (const text of ['CR_TEXT:R', 'CR_TEXT', 'WEB_AUTH:https://x.example/', 'OPEN_URL', ''])
      expect(parseControlMessage(`INFO_PRE,${text}`)).toEqual({ type: 'info-pre', request: { type: 'other', text } })
  })

  it('MSG-11 only plain web addresses are handed on', () => {
    const hostile = [
      'file:///etc/passwd',
      'javascript:alert(1)',
      'https://a.example/$(reboot)',
      'https://a.example/`x`',
      'https://a.example/" -x',
      "https://a.example/'",
      'https://a.example/ b',
      'https://a.example/\\',
      'HTTPS//a',
      'https://',
      `https://${'a'.repeat(2001)}`,
    ]
    let accepted = 0
    for (const url of hostile) {
      for (const text of [`OPEN_URL:${url}`, `WEB_AUTH::${url}`]) {
        const message = parseControlMessage(`INFO_PRE,${text}`)
        if (message.type !== 'info-pre' || message.request.type !== 'other') accepted++
      }
    }
    expect(accepted).toBe(0)
  })

  it('refuses to write what would read differently', () => {
    const bad: readonly ControlMessage[] = [
      refused('TEMP'),
      refused('CRV1:x'),
      refused('SESSION:x'),
      { type: 'auth-pending', timeoutSeconds: 0 },
      { type: 'restart', advance: false, keepCredentials: false, text: '[N]' },
      { type: 'info-pre', request: { type: 'open-url', url: 'ftp://x' } },
      { type: 'info-pre', request: { type: 'web-auth', url: 'https://x', flags: ['a:b'] } },
      {
        type: 'auth-failed',
        failure: { type: 'temporary', message: '', backoffSeconds: 1.5, advance: undefined },
      },
    ]
    for (const message of bad) expect(() => writeControlMessage(message)).toThrow(UsageError)
  })
})

describe('second factors', () => {
  it('MSG-12 joins a static answer to the password', () => {
    expect(writeStaticResponse('pass', '123', 'scrv1')).toBe('SCRV1:cGFzcw==:MTIz')
    expect(writeStaticResponse('pass', '123', 'concat')).toBe('pass123')
    expect(parseStaticResponse('SCRV1:cGFzcw==:MTIz')).toEqual({ password: 'pass', response: '123' })
    for (const text of ['pass', 'SCRV1:cGFzcw==', 'SCRV1:?:?', 'SCRV1:a:b:c', 'scrv1:cGFzcw==:MTIz'])
      expect(parseStaticResponse(text)).toBeUndefined()
  })

  it('MSG-13 reads and writes a dynamic challenge', () => {
    const text = 'CRV1:R:Om01u7Fh4LrGBS7uh0SWmzwabUiGiW6l:Y3Ix:Please enter token PIN'
    const challenge = parseDynamicChallenge(text)
    expect(challenge).toEqual({
      text: 'Please enter token PIN',
      username: 'cr1',
      stateId: 'Om01u7Fh4LrGBS7uh0SWmzwabUiGiW6l',
      echo: false,
      responseRequired: true,
    })
    expect(writeDynamicChallenge(challenge!)).toBe(text)
  })

  it('MSG-14 answers it', () => {
    expect(writeDynamicResponse('state', '8675309')).toBe('CRV1::state::8675309')
    expect(parseDynamicResponse('CRV1::state::86::75309')).toEqual({ stateId: 'state', response: '86::75309' })
    expect(parseDynamicResponse('CRV1:state:8675309')).toBeUndefined()
    expect(parseDynamicResponse('CRV1::state')).toBeUndefined()
  })

  it('answers a text request in base64', () => {
    expect(encodeResponse('änswer')).toBe('w6Ruc3dlcg==')
    expect(decodeResponse('w6Ruc3dlcg==')).toBe('änswer')
    expect(decodeResponse('?')).toBeUndefined()
    expect(decodeResponse('/w==')).toBeUndefined()
  })
})
