/**
 * The page: sliders and buttons move a {@link World}; the ladder, the key states and the details show it.
 *
 * `?seed=…&wrap=…` opens a run of one's own; `window.page` lets a test drive it without waiting for the clock.
 */
import { decodeCapture } from 'ovpn-core/decode'
import { isRecording } from 'ovpn-core/record'
import { drawCapture, drawRecording } from './capture.ts'
import { Inspector } from './inspect.ts'
import { drawKeys, keyRows } from './keys.ts'
import { drawLadder } from './ladder.ts'
import type { Datagram, LinkSettings } from './link.ts'
import { drawFields, drawLint } from './views.ts'
import { type Wrap, World } from './world.ts'

function find<T extends Element>(id: string, kind: new () => T): T {
  const found = document.getElementById(id)
  if (!(found instanceof kind)) throw new Error(`the page has no #${id}`)
  return found
}

const sliders = {
  loss: find('loss', HTMLInputElement),
  delay: find('delay', HTMLInputElement),
  jitter: find('jitter', HTMLInputElement),
  speed: find('speed', HTMLInputElement),
}
const units = { loss: '%', delay: 'ms', jitter: 'ms', speed: '% of real' }

/** Everything the page is showing. */
class Page {
  /** For pictures of made-up ladders. */
  readonly drawLadder = drawLadder
  world: World
  #inspector: Inspector
  #selected: Datagram | undefined
  #paused = false
  #drawn = ''

  constructor() {
    const query = new URLSearchParams(location.search)
    const seed = query.get('seed')
    if (seed !== null) find('seed', HTMLInputElement).value = seed
    const wrap = query.get('wrap')
    if (wrap !== null) find('wrap', HTMLSelectElement).value = wrap
    this.#paused = query.has('paused')
    this.world = this.#create()
    this.#inspector = new Inspector(this.world)
    this.#listen()
    this.draw()
    requestAnimationFrame((time) => {
      this.#frame(time, time)
    })
  }

  /** Runs the world up to a time at once. */
  advance(to: number): void {
    this.world.advance(to)
    this.draw()
  }

  /** Shows a datagram's fields. */
  select(datagram: Datagram): void {
    this.#selected = datagram
    drawFields(find('details', HTMLElement), datagram, this.#inspector.fields(datagram))
    this.#drawn = ''
    this.draw()
  }

  /** Draws what has changed. */
  draw(): void {
    const { world } = this
    const { datagrams, notes, now, pings } = world
    const flying = world.link.pollTimeout() !== Infinity
    // Without anything under way the picture stays as it is.
    const picture = `${datagrams.length} ${notes.length} ${flying ? now : ''} ${pings.answered}`
    if (picture === this.#drawn) return
    this.#drawn = picture
    const view = find('ladder-view', HTMLElement)
    const atEnd = view.scrollTop + view.clientHeight >= view.scrollHeight - 60
    const label = (datagram: Datagram): string => this.#inspector.label(datagram)
    const choose = (datagram: Datagram): void => {
      this.select(datagram)
    }
    drawLadder(
      find('ladder', SVGSVGElement),
      { datagrams, notes, now, label, selected: this.#selected?.number },
      choose,
    )
    if (atEnd) view.scrollTop = view.scrollHeight
    drawKeys(find('keys', HTMLElement), keyRows(world))
    const lost = datagrams.filter(({ arrivesAt }) => arrivesAt === undefined).length
    find('status', HTMLElement).textContent =
      `${now.toFixed(0)} ms, ${datagrams.length} datagrams, ${lost} lost, ${pings.answered} of ${pings.sent} pings answered`
  }

  #create(): World {
    const seed = find('seed', HTMLInputElement).value
    const wrap = find('wrap', HTMLSelectElement).value as Wrap
    return new World({ seed, wrap, link: this.#settings() })
  }

  #settings(): LinkSettings {
    const { delay, jitter, loss } = sliders
    return { loss: Number(loss.value) / 100, delay: Number(delay.value), jitter: Number(jitter.value) }
  }

  #restart(): void {
    this.world = this.#create()
    this.#inspector = new Inspector(this.world)
    this.#selected = undefined
    this.draw()
  }

  #listen(): void {
    for (const name of ['loss', 'delay', 'jitter', 'speed'] as const) {
      const slider = sliders[name]
      const show = (): void => {
        const output = document.querySelector(`output[for=${name}]`)
        if (output !== null) output.textContent = `${slider.value} ${units[name]}`
        Object.assign(this.world.link.settings, this.#settings())
      }
      slider.addEventListener('input', show)
      show()
    }
    const on = (id: string, action: () => void): void => {
      find(id, HTMLButtonElement).addEventListener('click', () => {
        action()
        this.draw()
      })
    }
    on('restart', () => {
      this.#restart()
    })
    on('pause', () => {
      this.#paused = !this.#paused
      find('pause', HTMLButtonElement).textContent = this.#paused ? 'go on' : 'pause'
    })
    on('step', () => {
      this.#paused = true
      find('pause', HTMLButtonElement).textContent = 'go on'
      const due = this.world.nextDue()
      if (due !== Infinity) this.world.advance(due)
    })
    on('ping', () => {
      this.world.ping()
    })
    on('renegotiate', () => {
      this.world.renegotiate()
    })
    on('close', () => {
      this.world.close()
    })
    find('wrap', HTMLSelectElement).addEventListener('change', () => {
      this.#restart()
    })
    this.#takeFiles()
  }

  #takeFiles(): void {
    const input = find('file', HTMLInputElement)
    input.addEventListener('change', () => {
      const [file] = input.files ?? []
      if (file !== undefined) void this.open(file)
    })
    const { body } = document
    body.addEventListener('dragover', (event) => {
      event.preventDefault()
      body.classList.add('dropping')
    })
    body.addEventListener('dragleave', () => {
      body.classList.remove('dropping')
    })
    body.addEventListener('drop', (event) => {
      event.preventDefault()
      body.classList.remove('dropping')
      const [file] = event.dataTransfer?.files ?? []
      if (file !== undefined) void this.open(file)
    })
  }

  /** Decodes a capture, replays a recording; whatever is neither is taken for a profile, and linted. */
  async open(file: File): Promise<void> {
    const bytes = new Uint8Array(await file.arrayBuffer())
    const found = find('found', HTMLElement)
    const capture = decodeCapture(bytes)
    const text = capture === undefined ? await file.text() : ''
    if (capture !== undefined) drawCapture(found, file.name, capture)
    else if (isRecording(text)) drawRecording(found, file.name, text)
    else drawLint(found, file.name, bytes)
  }

  #frame(last: number, time: number): void {
    if (!this.#paused) {
      const speed = Number(sliders.speed.value) / 100
      // A tab that slept does not catch up.
      this.world.advance(this.world.now + Math.min(100, time - last) * speed)
      this.draw()
    }
    requestAnimationFrame((next) => {
      this.#frame(time, next)
    })
  }
}

declare global {
  interface Window {
    page: Page
  }
}
window.page = new Page()
