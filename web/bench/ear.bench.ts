// Mouth to ear, three ways in one run and one page, so that all are on one clock: browser to browser direct,
// browser → server → browser (a call of two, passed on untouched), and a supervisor's browser that listens (mixed).
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, test } from 'vitest'
import { House } from '../e2e/house'
import { ask, browser, until, visit, type Server } from '../e2e/stage'
import { line, report } from './figures'

const BURSTS = Number(process.env['BURSTS'] ?? 100)

let house: House
let server: Server
let chrome: Browser
let page: Page
const keys: Record<string, string> = {}

beforeAll(async () => {
  const person = (id: string, extension: string) => ({ id, name: id, extension, supervises: true })
  house = new House([person('ana', '1001'), person('bo', '1002'), person('mia', '2001')])
  for (const id of ['ana', 'bo', 'mia']) keys[id] = house.key(id)
  ;[server, chrome] = await Promise.all([house.start(), browser()])
  page = (await visit(chrome, server.origin, { bypassCSP: true })).page
  await page.mouse.click(5, 5) // Sound wants a person's gesture.
  await page.addScriptTag({ content: `(${inPage.toString()})()` })
})
afterAll(async () => {
  await chrome?.close()
  await house?.stop()
})

interface Mouth {
  offer(name: string, speaks: boolean): Promise<string>
  answer(name: string, sdp: string): Promise<void>
  direct(): Promise<void>
  say(bursts: number): Promise<Record<string, number[]>>
}

/** Runs in the page. Each named ear tells when, on the one clock, it heard a burst begin. */
function inPage() {
  const EAR = `registerProcessor('ear', class extends AudioWorkletProcessor {
    constructor() { super(); this.quiet = 0; }
    process([input]) {
      const mono = input[0];
      if (mono) for (let i = 0; i < mono.length; i++) {
        if (Math.abs(mono[i]) < 0.05) { this.quiet += 1; continue; }
        if (this.quiet > 4800) this.port.postMessage((currentFrame + i) / sampleRate);
        this.quiet = 0;
      }
      return true;
    }
  });`
  const context = new AudioContext({ sampleRate: 48_000, latencyHint: 'interactive' })
  const level = new GainNode(context, { gain: 0 })
  const said = new MediaStreamAudioDestinationNode(context, { channelCount: 1 })
  const mute = new MediaStreamAudioDestinationNode(context, { channelCount: 1 })
  const voice = new OscillatorNode(context, { frequency: 1_000 })
  voice.connect(level).connect(said)
  voice.start()
  const module = URL.createObjectURL(new Blob([EAR], { type: 'text/javascript' }))
  const ready = context.audioWorklet.addModule(module).then(() => context.resume())
  const connections = new Map<string, RTCPeerConnection>()
  const heard = new Map<string, number[]>()
  const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

  function hear(name: string, { track }: RTCTrackEvent) {
    const mediaStream = new MediaStream([track])
    const speaker = new Audio()
    speaker.srcObject = mediaStream
    void speaker.play()
    const ear = new AudioWorkletNode(context, 'ear')
    const times: number[] = []
    heard.set(name, times)
    ear.port.onmessage = ({ data }) => times.push(Number(data))
    new MediaStreamAudioSourceNode(context, { mediaStream }).connect(ear)
    ear.connect(new GainNode(context, { gain: 0 })).connect(context.destination)
  }
  function connection(name: string, speaks: boolean): RTCPeerConnection {
    const made = new RTCPeerConnection()
    connections.set(name, made)
    const [track] = (speaks ? said : mute).stream.getAudioTracks()
    const transceiver = made.addTransceiver(track ?? 'audio', { direction: 'sendrecv' })
    const all = RTCRtpReceiver.getCapabilities('audio')?.codecs ?? []
    transceiver.setCodecPreferences(all.filter((codec) => codec.mimeType === 'audio/opus'))
    made.addEventListener('track', (event) => hear(name, event))
    return made
  }
  const mouth: Mouth = {
    async offer(name, speaks) {
      await ready
      const made = connection(name, speaks)
      await made.setLocalDescription(await made.createOffer())
      return made.localDescription?.sdp ?? ''
    },
    async answer(name, sdp) {
      const made = connections.get(name)
      await made?.setRemoteDescription({ type: 'answer', sdp })
      for (let n = 0; n < 400 && made?.connectionState !== 'connected'; n++) await wait(25)
      if (made?.connectionState !== 'connected') throw new Error(`${name} is not connected`)
    },
    async direct() {
      await ready
      const from = connection('mouth', true)
      const to = new RTCPeerConnection()
      to.addEventListener('track', (event) => hear('direct', event))
      const told = async (one: RTCPeerConnection) => {
        while (one.iceGatheringState !== 'complete') await wait(10)
        return one.localDescription as RTCSessionDescription
      }
      await from.setLocalDescription(await from.createOffer())
      await to.setRemoteDescription(await told(from))
      await to.setLocalDescription(await to.createAnswer())
      await from.setRemoteDescription(await told(to))
    },
    async say(bursts) {
      const said: number[] = []
      for (let n = 0; n < bursts; n++) {
        const at = context.currentTime + 0.05
        level.gain.setValueAtTime(0.5, at)
        level.gain.setValueAtTime(0, at + 0.06)
        said.push(at)
        await wait(700 + 37 * (n % 11))
      }
      const took = (times: number[]) =>
        said.flatMap((at) => {
          const first = times.find((time) => time > at && time < at + 0.6)
          return first === undefined ? [] : [(first - at) * 1_000]
        })
      return Object.fromEntries([...heard].map(([name, times]) => [name, took(times)]))
    },
  }
  Object.assign(globalThis, { mouth })
}

async function send<T>(who: string, method: string, path: string, body?: unknown): Promise<T> {
  const headers = { Authorization: `Bearer ${keys[who]}`, 'Content-Type': 'application/json' }
  const how = { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) }
  const response = await fetch(`${server.origin}/api/v1${path}`, how)
  if (!response.ok) throw new Error(`${method} ${path}: ${await response.text()}`)
  return (await response.json()) as T
}

const inside = () => page.evaluateHandle(() => (globalThis as unknown as { mouth: Mouth }).mouth)

async function phone(who: string, speaks: boolean): Promise<void> {
  const mouth = await inside()
  const sdp = await mouth.evaluate((m, [name, says]) => m.offer(name, says), [who, speaks] as const)
  const answer = await send<{ sdp: string }>(who, 'POST', '/me/phone', { sdp, tab: who })
  await mouth.evaluate((m, [name, text]) => m.answer(name, text), [who, answer.sdp] as const)
}

/** The one call, once it rings at who is to answer next. */
async function answer(who: string): Promise<string> {
  return until(
    async () => {
      const { items } = await ask<{ items: { id: string }[] }>(server, '/calls')
      const id = items[0]?.id
      return (
        id &&
        (await send(who, 'POST', `/calls/${id}/answer`).then(
          () => id,
          () => null,
        ))
      )
    },
    `${who} answers`,
    30_000,
  )
}

test('mouth to ear by the server, against browser to browser', async () => {
  for (const who of ['ana', 'bo', 'mia']) await phone(who, who === 'ana')
  void send('ana', 'POST', '/calls', { from_agent: '1001', to: '1002' }).catch(() => {})
  const id = await answer('ana')
  await answer('bo')
  await until(
    async () => (await send<{ state: string }>('mia', 'GET', `/calls/${id}`)).state === 'talking',
    'they talk',
  )
  const body = { mode: 'listen', leg: { kind: 'phone' } }
  await send('mia', 'POST', `/calls/${id}/supervisions`, body)
  const mouth = await inside()
  await mouth.evaluate((m) => m.direct())
  await mouth.evaluate((m) => m.say(10)) // Until the browser's own buffers have settled.
  const heard = await mouth.evaluate((m, bursts) => m.say(bursts), BURSTS)
  const { direct = [], bo = [], mia = [] } = heard
  line('browser to browser, direct', direct, BURSTS)
  line('by the server, passed on', bo, BURSTS)
  line('by the server, listening', mia, BURSTS)
  report('mouth_to_ear_ms', { direct, by_server: bo, listening: mia })
})
