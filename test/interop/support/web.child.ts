/**
 * A web server on an address: `GET /N` gives N bytes, `PUT` answers with the number of bytes it got. On an IPv4 address a
 * name server stands beside it.
 */
import { createSocket } from 'node:dgram'
import { createServer } from 'node:http'

const [address, port = '8080'] = process.argv.slice(2)
createServer((request, response) => {
  let got = 0
  request.on('data', (data: Buffer) => {
    got += data.length
  })
  request.on('end', () => {
    if (request.method === 'PUT') response.end(`${got}`)
    else response.end(Buffer.alloc(Number(request.url?.slice(1)), 'ovpn'))
  })
}).listen(Number(port), address, () => {
  console.log('serving')
})

// For the name server every name is this address.
if (address?.includes(':') === false) {
  const names = createSocket('udp4')
  names.on('message', (question, { port: asker, address: from }) => {
    const isA = question.readUInt16BE(question.length - 4) === 1
    const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, ...address.split('.').map(Number)])
    const answer = Buffer.concat([question, ...(isA ? [record] : [])])
    answer.writeUInt16BE(0x8180, 2)
    answer.writeUInt16BE(isA ? 1 : 0, 6)
    names.send(answer, asker, from)
  })
  names.bind(53, address)
}
