// Debian's firefox-esr, driven by its own WebDriver BiDi: a supervisor signs in, sees the board, hears a call,
// which is measured in the page, and whispers to the agent, which is measured at the server. Its network settings are
// those of a person's Firefox: it connects no loopback address, and hides the machine's own one.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { launch, type Browser, type Page } from 'puppeteer-core'
import { afterAll, beforeAll, expect, onTestFailed, test } from 'vitest'
import { ask, demo, role, until, type Server } from './stage'

const FIREFOX = process.env['FIREFOX'] ?? '/usr/bin/firefox-esr'
/** `scripts/web` says so where it is not. */
const THERE = existsSync(FIREFOX) && (await networked())
/** Everything that is waited for; a machine may be slow. */
const SOON_MS = 90_000
/** The demo's people speak well above this; an idle line is digital silence. */
const HEARD_DBFS = -45

/** As the server asks: whether this machine has an address of its own beside loopback. */
async function networked(): Promise<boolean> {
  const socket = createSocket('udp4')
  try {
    socket.connect(9, '192.0.2.1') // Nobody has it (RFC 5737), and nothing is sent.
    await once(socket, 'connect')
    return !socket.address().address.startsWith('127.')
  } catch {
    return false
  } finally {
    socket.close()
  }
}

let server: Server
let firefox: Browser
let page: Page

interface Wire {
  parties: { role: string; hears: string[] }[]
  supervisions: {
    state: string
    mode: string
    party_id: string | null
    supervisor: { id: string }
  }[]
}

beforeAll(async () => {
  if (!THERE) return
  ;[server, firefox] = await Promise.all([
    demo(),
    launch({
      browser: 'firefox',
      executablePath: FIREFOX,
      headless: true,
      timeout: SOON_MS,
      defaultViewport: { width: 1400, height: 900 },
      extraPrefsFirefox: {
        // A microphone that says a tone, and is given without a question when it is asked for.
        'media.navigator.streams.fake': true,
        'media.navigator.permission.disabled': true,
        // A loudspeaker, which this machine may not have: without one Firefox runs no AudioContext.
        'media.cubeb.force_mock_context': true,
        'media.autoplay.default': 0,
        'media.autoplay.blocking_policy': 0,
      },
    }),
  ])
  page = await firefox.newPage()
  page.setDefaultTimeout(SOON_MS)
  // Nothing of the page is replaced: what it receives is kept to be measured beside it.
  await page.evaluateOnNewDocument(() => {
    const received: MediaStreamTrack[] = []
    const Real = globalThis.RTCPeerConnection
    Object.assign(globalThis, { received })
    globalThis.RTCPeerConnection = class extends Real {
      constructor(...how: ConstructorParameters<typeof Real>) {
        super(...how)
        this.addEventListener('track', (event) => received.push(event.track))
      }
    }
  })
})
afterAll(async () => {
  await firefox?.close()
  await server?.stop()
})

/** Of what the page receives, over so long, at its loudest. */
const heardDbfs = (ms: number) =>
  page.evaluate(async (ms) => {
    const { received } = globalThis as unknown as { received: MediaStreamTrack[] }
    const track = received.at(-1)
    if (!track) return -100
    const context = new AudioContext()
    const analyser = new AnalyserNode(context, { fftSize: 2_048 })
    const mediaStream = new MediaStream([track])
    new MediaStreamAudioSourceNode(context, { mediaStream }).connect(analyser)
    const samples = new Float32Array(analyser.fftSize)
    let most = 0
    for (const end = performance.now() + ms; performance.now() < end;) {
      await new Promise((resolve) => setTimeout(resolve, 40))
      analyser.getFloatTimeDomainData(samples)
      const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length
      most = Math.max(most, power)
    }
    await context.close()
    return 10 * Math.log10(most + 1e-10)
  }, ms)

/** As a person does, who waits for no row to stand still. */
async function press(selector: string): Promise<void> {
  const button = await page.waitForSelector(selector)
  await button?.evaluate((one) => (one as HTMLElement).click())
}

const says = (sentence: string) =>
  page.waitForFunction(
    (text) => document.querySelector('.sentence [role=status]')?.textContent?.startsWith(text),
    {},
    sentence,
  )

/** Mia's supervision as the server has it, and the roles that are measured to hear her. */
async function mine() {
  const { items } = await ask<{ items: Wire[] }>(server, '/calls')
  for (const call of items) {
    const one = call.supervisions.find((s) => s.state === 'live' && s.supervisor.id === 'mia')
    if (!one) continue
    const heard = call.parties.filter((party) => one.party_id && party.hears.includes(one.party_id))
    return { mode: one.mode, heardBy: heard.map((party) => party.role) }
  }
  return null
}

test.skipIf(!THERE)(
  'in firefox-esr one signs in, sees the board, hears a call, and whispers to the agent alone',
  async () => {
    onTestFailed(async () => console.log(await page.evaluate(() => document.body.innerText)))
    const { host } = await role(server, 'mia')
    await page.goto(`http://${host}/?as=mia`)
    await press('button[aria-label^="Listen"][aria-label$="Ana Ruiz"]')
    await says('LISTEN: nobody hears you')
    const level = await until(
      async () => {
        const dbfs = await heardDbfs(1_000)
        return dbfs > HEARD_DBFS ? dbfs : null
      },
      'the call is heard',
      SOON_MS,
    )
    expect(await mine()).toEqual({ mode: 'listen', heardBy: [] })

    await press('[role=radio][aria-label^="Whisper"]')
    await says('WHISPER: only Ana Ruiz hears you')
    const heardBy = new Set<string>()
    await until(
      async () => {
        for (const party of (await mine())?.heardBy ?? []) heardBy.add(party)
        return heardBy.has('agent')
      },
      'Ana hears Mia',
      SOON_MS,
    )
    expect([...heardBy]).toEqual(['agent'])
    await press('button.leave')
    await until(async () => (await mine()) === null, 'Mia has left', SOON_MS)
    console.log(`${await firefox.version()}: the call is heard at ${level.toFixed(0)} dBFS`)
  },
)
