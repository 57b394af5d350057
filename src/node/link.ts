/**
 * The sockets of a client's links: UDP through `dgram`, TCP through `net`, opened and closed on request.
 *
 * A datagram that can't be delivered is only lost, and the client's timers decide what that means; a stream that can't be
 * opened, breaks or ends is told. Addresses come resolved; nothing is decided here.
 */
import { createSocket } from 'node:dgram'
import { connect, isIP } from 'node:net'
import type { ClientOutput } from '../client/index.ts'

/** What to open: the client's own request. */
export type LinkRequest = Extract<ClientOutput, { readonly type: 'connect' }>

/** What a link tells. After `close()` it tells nothing. */
export interface LinkSinks {
  readonly open: () => void
  readonly receive: (data: Uint8Array) => void
  /** It could not be opened, or is over. */
  readonly over: (detail: string) => void
}

/** A socket of one link. */
export interface Link {
  send(data: Uint8Array): void
  /** Closes behind what was sent. */
  close(): void
}

/** Opens a socket as a client asks for it. */
export function openLink(request: LinkRequest, sinks: LinkSinks): Link {
  return request.transport === 'udp' ? openDatagrams(request, sinks) : openStream(request, sinks)
}

function openDatagrams({ address, port, local, float }: LinkRequest, sinks: LinkSinks): Link {
  const socket = createSocket({ type: isIP(address) === 6 ? 'udp6' : 'udp4', reuseAddr: local?.port !== undefined })
  let state: 'opening' | 'open' | 'closed' = 'opening'
  const open = (): void => {
    if (state !== 'opening') return
    state = 'open'
    sinks.open()
  }
  socket.on('error', (error) => {
    if (state !== 'opening') return
    state = 'closed'
    socket.close()
    sinks.over(error.message)
  })
  socket.on('message', (data) => {
    if (state === 'open') sinks.receive(data)
  })
  socket.bind({ port: local?.port ?? 0, ...(local?.address === undefined ? {} : { address: local.address }) }, () => {
    if (state !== 'opening') return
    // A connected socket hears its peer only; one that floats hears everybody.
    if (float) open()
    else socket.connect(port, address, open)
  })
  return {
    send: (data) => {
      if (state !== 'open') return
      if (float) socket.send(data, port, address, () => undefined)
      else socket.send(data, () => undefined)
    },
    close: () => {
      if (state === 'closed') return
      state = 'closed'
      // Later, so that the last farewell leaves first.
      setImmediate(() => socket.close())
    },
  }
}

function openStream({ address, port, local }: LinkRequest, sinks: LinkSinks): Link {
  const socket = connect({
    host: address,
    port,
    noDelay: true,
    ...(local?.address === undefined ? {} : { localAddress: local.address }),
    ...(local?.port === undefined ? {} : { localPort: local.port }),
  })
  let closed = false
  const over = (detail: string): void => {
    if (closed) return
    closed = true
    socket.destroy()
    sinks.over(detail)
  }
  socket.on('error', (error) => {
    over(error.message)
  })
  socket.on('close', () => {
    over('the peer closed the connection')
  })
  socket.on('data', (data) => {
    if (!closed) sinks.receive(data)
  })
  socket.on('connect', () => {
    if (!closed) sinks.open()
  })
  return {
    send: (data) => {
      if (!closed) socket.write(data)
    },
    close: () => {
      if (closed) return
      closed = true
      if (socket.connecting) socket.destroy()
      else socket.destroySoon()
    },
  }
}
