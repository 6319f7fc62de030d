// The demo's ears: what the browser plays as the agent has the whisper in it, and what it plays as the customer has
// not. Measured at what goes to the loudspeaker, with the tone that Chromium's own microphone is given.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, type Browser, type Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { heardBy } from './ear'
import { demo, enter, until, visit, wallboard, type Server } from './stage'

/** As in the server's own test of a whisper by Chromium's capture: what follows steadily is noise to it. */
const TONE_HZ = 2_960
const RATE = 48_000
const SYLLABLE_MS = 160
const EVERY_MS = 500

let server: Server
let chrome: Browser
const folder = mkdtempSync(join(tmpdir(), 'undertone-ears-'))

/** Syllables of one frequency, 16 bits, mono. */
function microphone(path: string): void {
  const samples = (RATE / 1_000) * EVERY_MS * 20
  const wav = Buffer.alloc(44 + samples * 2)
  wav.write('RIFF', 0)
  wav.writeUInt32LE(36 + samples * 2, 4)
  wav.write('WAVEfmt ', 8)
  wav.writeUInt32LE(16, 16)
  wav.writeUInt16LE(1, 20)
  wav.writeUInt16LE(1, 22)
  wav.writeUInt32LE(RATE, 24)
  wav.writeUInt32LE(RATE * 2, 28)
  wav.writeUInt16LE(2, 32)
  wav.writeUInt16LE(16, 34)
  wav.write('data', 36)
  wav.writeUInt32LE(samples * 2, 40)
  const said = (RATE / 1_000) * SYLLABLE_MS
  for (let n = 0; n < samples; n++) {
    const at = n % ((RATE / 1_000) * EVERY_MS)
    const edge = Math.max(0, Math.min(1, Math.min(at, said - at) / 480))
    wav.writeInt16LE(
      Math.round(Math.sin((2 * Math.PI * TONE_HZ * n) / RATE) * edge * 16_000),
      44 + n * 2,
    )
  }
  writeFileSync(path, wav)
}

beforeAll(async () => {
  const file = join(folder, 'microphone.wav')
  microphone(file)
  const args = [
    '--no-sandbox',
    '--use-fake-ui-for-media-stream',
    '--use-fake-device-for-media-stream',
    `--use-file-for-fake-audio-capture=${file}`,
  ]
  const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium'
  ;[server, chrome] = await Promise.all([demo(), chromium.launch({ executablePath, args })])
})
afterAll(async () => {
  await chrome?.close()
  await server?.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** Looks at everything that the page gives to the loudspeaker. */
async function listens(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const connect = AudioNode.prototype.connect as (...to: unknown[]) => unknown
    AudioNode.prototype.connect = function (this: AudioNode, ...to: unknown[]) {
      if (to[0] instanceof AudioDestinationNode) {
        const ear = new AnalyserNode(this.context, { fftSize: 1_024, smoothingTimeConstant: 0 })
        connect.call(this, ear)
        const { ears = [] } = window as unknown as { ears?: AnalyserNode[] }
        Object.assign(window, { ears: [...ears, ear] })
      }
      return connect.call(this, ...to) as never
    } as never
  })
}

interface Measured {
  /** Instants at which the tone stood out of what is beside it, three of them in a row. */
  hits: number
  /** Instants at which anything was heard. */
  loud: number
}

const measure = (page: Page, ms: number): Promise<Measured> =>
  page.evaluate(
    async ([hz, ms]) => {
      // The click of a changed mode goes to the loudspeaker beside the call.
      const { ears } = window as unknown as { ears: AnalyserNode[] }
      const bins = ears.map((ear) => new Float32Array(ear.frequencyBinCount))
      const most = (from: number, to: number) =>
        Math.max(
          ...ears.map((ear, n) => {
            const at = (f: number) => Math.round((f / ear.context.sampleRate) * ear.fftSize)
            return Math.max(...(bins[n] as Float32Array).slice(at(from), at(to) + 1))
          }),
        )
      let [hits, loud, row] = [0, 0, 0]
      const end = performance.now() + ms
      while (performance.now() < end) {
        ears.forEach((ear, n) => ear.getFloatFrequencyData(bins[n] as Float32Array<ArrayBuffer>))
        const tone = most(hz - 10, hz + 10)
        const beside = Math.max(most(hz - 300, hz - 60), most(hz + 60, hz + 300))
        row = tone > -70 && tone > beside + 15 ? row + 1 : 0
        if (row >= 3) hits += 1
        if (most(200, 3_000) > -80) loud += 1
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      return { hits, loud }
    },
    [TONE_HZ, ms] as const,
  )

test('as the agent one hears the whisper, as the customer not; a barge is in both ears', async () => {
  const { page, close } = await visit(chrome, 'about:blank')
  await listens(page)
  await enter(page, server)
  await wallboard(page)
  await page
    .getByRole('button', { name: /^Whisper.*Ana Ruiz$/ })
    .first()
    .click()
  const dock = page.getByRole('complementary', { name: 'Audio Monitoring' })
  const says = (text: string) =>
    dock.getByRole('status').filter({ hasText: text }).first().waitFor()
  await says('WHISPER: only Ana Ruiz hears you')
  await heardBy(server, ['agent'])
  const ears = dock.getByRole('group', { name: 'Hear as (demo)' })
  const customer = (await ears.getByRole('button').allTextContents()).find(
    (name) => !['me', 'Ana Ruiz'].includes(name),
  ) as string
  /** The new ear sounds: what is measured from here on is of no other. */
  const hearAs = async (name: string) => {
    await page.evaluate(() => Object.assign(window, { ears: [] }))
    await ears.getByRole('button', { name, exact: true }).click()
    await page.waitForFunction(() => 'ears' in window && (window.ears as unknown[]).length > 0)
  }
  const hits = (least: number) =>
    until(async () => (await measure(page, 2_000)).hits >= least, 'the tone is heard', 60_000)

  await hearAs('Ana Ruiz')
  await hits(3)
  await hearAs(customer)
  // Ana waits with her words while somebody speaks into her ear: the customer then hears nothing for a while.
  const whispered = { hits: 0, loud: 0, looks: 0 }
  await until(
    async () => {
      const now = await measure(page, 2_000)
      whispered.hits += now.hits
      whispered.loud += now.loud
      whispered.looks += 1
      expect(whispered.hits).toBe(0)
      return whispered.looks >= 5 && whispered.loud > 10
    },
    'for ten seconds the customer’s ear, in which somebody speaks',
    90_000,
  )
  await heardBy(server, ['agent'])

  await dock.getByRole('radio', { name: /^Barge/ }).click()
  await says('BARGE: Ana Ruiz and the customer hear you')
  await hits(3)
  await ears.getByRole('button', { name: 'me', exact: true }).click()
  await ears.getByText('your own sound is off').waitFor({ state: 'detached' })
  await close()
})
