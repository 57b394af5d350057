/**
 * The page of `examples/browser`, built and used the way a person does, in Chromium without a window.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Browser, Page } from 'playwright-core'
import { layOut } from '../../examples/browser/src/layout.ts'
import { type Wrap, World } from '../../examples/browser/src/world.ts'
import { isMissing, startChromium } from './chromium.ts'

const ROOT = new URL('../../', import.meta.url)
const PAGE = new URL('examples/browser/site/index.html', ROOT)

/** What both Node and the page do with a world. */
const SCRIPT = 'page.advance(1500); page.world.ping(); page.advance(1700); page.world.renegotiate(); page.advance(4000)'

/** A ladder of its own, so that what the protocol says does not change the picture: crossings, losses, one under way. */
const PICTURE = `page.drawLadder(document.getElementById('ladder'), {
  datagrams: [[0, 40], [0, 95], [2, 60], [70, 110], [70], [100, 130], [130, 900]].map(([sentAt, arrivesAt], index) => (
    { number: index + 1, from: [0, 1, 4].includes(index) ? 'client' : 'server', bytes: new Uint8Array(1), sentAt, arrivesAt })),
  notes: [{ at: 0, side: 'client', text: 'a' }, { at: 110, side: 'server', text: 'b' }],
  now: 400,
  label: () => 'label',
  selected: 4,
}, () => undefined)`

function digestHere(seed: string, wrap: Wrap): string {
  const world = new World({ seed, wrap, link: { delay: 40, jitter: 0, loss: 0 } })
  world.advance(1500)
  world.ping()
  world.advance(1700)
  world.renegotiate()
  world.advance(4000)
  expect(world.pings).toEqual({ sent: 1, answered: 1 })
  expect(world.notes.map(({ text }) => text)).toContain('new keys, key id 1')
  return world.digest()
}

describe.skipIf(isMissing)('the page', () => {
  const state: { browser?: Browser } = {}
  const errors: string[] = []
  beforeAll(async () => {
    execFileSync(process.execPath, [fileURLToPath(new URL('examples/browser/build.mjs', ROOT))], { stdio: 'pipe' })
    state.browser = await startChromium()
  })
  afterAll(async () => {
    await state.browser?.close()
  })

  async function open(query: string): Promise<Page> {
    const page = await state.browser!.newPage({ viewport: { width: 1400, height: 900 } })
    page.on('pageerror', (error) => errors.push(error.message))
    await page.goto(`${PAGE.href}?paused&${query}`)
    return page
  }

  it.each(['none', 'tls-auth', 'tls-crypt'] as const)(
    'sends the same bytes as Node from the same seed, %s',
    async (wrap) => {
      const page = await open(`seed=twins&wrap=${wrap}`)
      await page.evaluate(SCRIPT)
      expect(await page.evaluate('page.world.digest()')).toBe(digestHere('twins', wrap))
      expect(digestHere('others', wrap)).not.toBe(digestHere('twins', wrap))
      expect(errors).toEqual([])
    },
  )

  it('draws a rung for each datagram, names what is said, and opens it down to its fields', async () => {
    const page = await open('seed=twins&wrap=tls-crypt')
    await page.evaluate(SCRIPT)
    const count = await page.evaluate<number>('page.world.datagrams.length')
    expect(await page.locator('.rung').count()).toBe(count)
    expect(count).toBeGreaterThan(20)
    const labels = await page.locator('.rung text:not(.time)').allTextContents()
    for (const said of ['ClientHello', 'ServerHello', 'CertificateVerify', 'PUSH_REPLY', 'ICMP'])
      expect(labels.join('\n')).toContain(said)
    await page.locator('.rung .hit').nth(3).click({ force: true })
    const fields = await page.locator('#details .field').allTextContents()
    expect(fields.join('\n')).toMatch(/opcode.*P_CONTROL_V1[^]*session id[^]*tag[^]*ClientHello/)
    await page.locator('#details .field').nth(2).hover()
    expect(await page.locator('.byte.marked').count()).toBe(8)
    const current = page.locator('#keys .state.current')
    expect(await current.allTextContents()).toEqual(['generated-keys'])
    await page.evaluate('page.world.renegotiate(); page.advance(4010)')
    expect(await current.allTextContents()).toEqual(['generated-keys', 'pre-start'])
  })

  it('looks as it should: the ladder without its texts, dot for dot', async () => {
    const page = await open('seed=picture')
    await page.evaluate(PICTURE)
    // Fonts differ from machine to machine; lines do not.
    await page.addStyleTag({ content: 'svg text { visibility: hidden } #ladder-view { border: 0; height: auto }' })
    const picture = await page.locator('#ladder').screenshot({ animations: 'disabled' })
    const known = readFileSync(new URL('ladder.png', import.meta.url))
    expect(await differentDots(page, picture, known)).toBeLessThan(0.002)
    const empty = await page.evaluate<string>(
      `(() => { const c = document.createElement('canvas'); c.width = 760; c.height = 400; return c.toDataURL().split(',')[1] })()`,
    )
    expect(await differentDots(page, Buffer.from(empty, 'base64'), known), 'an empty picture').toBeGreaterThan(0.01)
  })

  it('shows losses, and the tunnel comes up in spite of them', async () => {
    const page = await open('seed=lossy')
    await page.locator('#loss').fill('20')
    await page.locator('#jitter').fill('200')
    await page.locator('#restart').click()
    await page.evaluate('page.advance(60000)')
    expect(await page.locator('.rung.lost .cross').count()).toBeGreaterThan(0)
    expect(await page.locator('text.note').allTextContents()).toContainEqual(
      expect.stringContaining('connected: TLSv1.3'),
    )
  })

  it('moves by its buttons', async () => {
    const page = await open('seed=buttons')
    for (let step = 0; step < 4; step++) await page.locator('#step').click()
    expect(await page.locator('#status').textContent()).toMatch(/^\d+ ms, \d+ datagrams/)
    await page.evaluate('page.advance(2000)')
    await page.locator('#ping').click()
    await page.locator('#renegotiate').click()
    await page.evaluate('page.advance(4000)')
    await page.locator('#close').click()
    await page.evaluate('page.advance(9000)')
    const notes = await page.locator('text.note').allTextContents()
    expect(notes).toContainEqual('new keys, key id 1')
    expect(notes).toContainEqual('closed: local')
    expect(await page.locator('#status').textContent()).toContain('1 of 1 pings answered')
    expect(errors).toEqual([])
  })

  it('replays a recording made in Node to the byte, and finds the step where one was changed', async () => {
    const page = await open('seed=files')
    const text = recording()
    const put = async (name: string, buffer: string): Promise<void> => {
      await page.locator('#file').setInputFiles({ name, mimeType: 'text/plain', buffer: Buffer.from(buffer) })
      await page.locator(`#found h3:has-text("${name}")`).waitFor()
    }
    await put('mine.rec', text)
    expect(await page.locator('#found').textContent()).toMatch(
      /a recorded client, \d+ inputs replayedthe same to the byte/,
    )
    expect(await page.locator('#found pre').textContent()).toMatch(/ClientHello[^]*PUSH_REPLY[^]*ICMP echo reply/)
    const changed = text.replace(
      /("receive",\[\{"\$bytes":".{20})(.)/,
      (_, start: string, one: string) => start + (one === 'Q' ? 'R' : 'Q'),
    )
    expect(changed).not.toBe(text)
    await put('changed.rec', changed)
    expect(await page.locator('#found').textContent()).toMatch(/different from step \d+ on/)
    expect(errors).toEqual([])
  })

  it('lints a profile that is dropped in, and decodes a capture', async () => {
    const page = await open('seed=files')
    const profile = {
      name: 'mine.ovpn',
      mimeType: 'text/plain',
      buffer: Buffer.from('client\ndev tun\nremot vpn.example 1194\n'),
    }
    await page.locator('#file').setInputFiles(profile)
    await page.locator('#found details').first().waitFor()
    expect(await page.locator('#found').textContent()).toMatch(/ovpn-core: can not work[^]*remot/)
    await page.locator('#file').setInputFiles({ name: 'a.pcap', mimeType: 'x/y', buffer: capture() })
    await page.locator('#found pre').waitFor()
    expect(await page.locator('#found').textContent()).toMatch(
      /pcap, 3 frames, 3 OpenVPN packets[^]*P_CONTROL_HARD_RESET_CLIENT_V2/,
    )
    expect(errors).toEqual([])
  })
})

/** A client of a world recorded as it runs, in Node. */
function recording(): string {
  const lines: string[] = []
  const world = new World({ seed: 'record', wrap: 'tls-crypt', link: { delay: 20, jitter: 90, loss: 0.1 } }, (line) => {
    lines.push(line)
  })
  world.advance(30_000)
  world.ping()
  world.renegotiate()
  world.advance(60_000)
  world.close()
  world.advance(70_000)
  expect(world.pings.answered).toBe(1)
  return `${lines.join('\n')}\n`
}

describe('the ladder', () => {
  it('gives every datagram a height of its own, in order of time', () => {
    const datagram = (number: number, sentAt: number, arrivesAt: number | undefined) =>
      ({ number, from: 'client', bytes: Uint8Array.of(1), sentAt, arrivesAt }) as const
    const all = [datagram(1, 0, 10), datagram(2, 0, undefined), datagram(3, 5_000, 5_010), datagram(4, 5_000, 9_000)]
    const { height, notes, rungs } = layOut(all, [{ at: 5, side: 'server', text: 'hears' }], 6_000)
    const heights = rungs.map(({ from }) => from)
    expect(new Set(heights).size).toBe(4)
    expect(heights).toEqual([...heights].sort((a, b) => a - b))
    expect(rungs.map(({ to }) => to !== undefined)).toEqual([true, false, true, false])
    expect(rungs[0]!.to!).toBeGreaterThan(heights[0]!)
    expect(notes[0]!.y).toBeLessThan(heights[2]!)
    // A silence of five seconds takes no more room than a short one.
    expect(height).toBeLessThan(250)
  })
})

/** The share of dots that differ, found by drawing both pictures in the page. */
async function differentDots(page: Page, picture: Buffer, known: Buffer): Promise<number> {
  const sources = [picture, known].map((png) => `data:image/png;base64,${png.toString('base64')}`)
  return await page.evaluate<number>(`(async () => {
    const draw = async (source) => {
      const image = new Image()
      image.src = source
      await image.decode()
      const canvas = document.createElement('canvas')
      canvas.width = 760
      canvas.height = 400
      const context = canvas.getContext('2d')
      context.fillStyle = '#fff'
      context.fillRect(0, 0, 760, 400)
      context.drawImage(image, 0, 0)
      return context.getImageData(0, 0, 760, 400).data
    }
    const [a, b] = await Promise.all(${JSON.stringify(sources)}.map(draw))
    let different = 0
    for (let i = 0; i < a.length; i += 4) {
      if (Math.abs(a[i] - b[i]) + Math.abs(a[i + 1] - b[i + 1]) + Math.abs(a[i + 2] - b[i + 2]) > 96) different++
    }
    return different / (a.length / 4)
  })()`)
}

/** A capture of the first three datagrams of a world: raw IPv4 in a pcap file. */
function capture(): Buffer {
  const world = new World({ seed: 'capture', wrap: 'none', link: { delay: 10, jitter: 0, loss: 0 } })
  world.advance(100)
  const header = Buffer.alloc(24)
  header.writeUInt32LE(0xa1b2c3d4, 0)
  header.writeUInt16LE(2, 4)
  header.writeUInt16LE(4, 6)
  header.writeUInt32LE(65_535, 16)
  header.writeUInt32LE(101, 20)
  const frames = world.datagrams.slice(0, 3).flatMap(({ bytes, from }) => {
    const packet = Buffer.alloc(28 + bytes.length)
    packet.set([
      0x45,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      64,
      17,
      0,
      0,
      10,
      0,
      0,
      from === 'client' ? 1 : 2,
      10,
      0,
      0,
      from === 'client' ? 2 : 1,
    ])
    packet.writeUInt16BE(packet.length, 2)
    packet.writeUInt16BE(from === 'client' ? 5000 : 1194, 20)
    packet.writeUInt16BE(from === 'client' ? 1194 : 5000, 22)
    packet.writeUInt16BE(8 + bytes.length, 24)
    packet.set(bytes, 28)
    const record = Buffer.alloc(16)
    record.writeUInt32LE(packet.length, 8)
    record.writeUInt32LE(packet.length, 12)
    return [record, packet]
  })
  return Buffer.concat([header, ...frames])
}
