/**
 * A web server on an address: `GET /N` gives N bytes, `PUT` answers with the number of bytes it got.
 */
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
