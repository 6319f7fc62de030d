// The tour of the demo as a newcomer takes it, supervisor and agent side by side in one browser: hear a call,
// whisper, barge, take over, hand back, see it on the call's page, and sit in the agent's chair meanwhile.
// `FILM=folder` keeps a still of each step, of which `npm run film` makes docs/pictures/tour.webp.
import { mkdirSync } from 'node:fs'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { features } from '../src/api/features'
import { opened } from './opened'
import { until, visit, wallboard } from './stage'

const FILM = process.env['FILM']

const stage = opened()

let shots = 0
let steps = 0

/** Both pages as they stand, the words of the step over them. */
async function shoot(words: string, mia: Page, ana: Page | null): Promise<void> {
  steps += 1
  if (!FILM) return
  mkdirSync(FILM, { recursive: true })
  for (const page of [mia, ana]) await page?.mouse.move(2, 2)
  const image = async (page: Page) => (await page.screenshot()).toString('base64')
  const pages = [await image(mia), ...(ana ? [await image(ana)] : [])]
  const context = await stage.chrome.newContext({ viewport: { width: 1440, height: 740 } })
  const sheet = await context.newPage()
  const shown = pages.map((one, n) => `<img class="p${n}" src="data:image/png;base64,${one}">`)
  await sheet.setContent(`<style>
    body { margin: 0; background: #10131a; color: #fff; font: 600 24px system-ui, "DejaVu Sans", sans-serif }
    p { margin: 0; padding: 14px 24px; height: 30px }
    img { position: absolute; top: 60px; height: 670px; border-radius: 6px }
    .p0 { left: ${ana ? '12px' : '214px'} } .p1 { left: 1036px }
  </style><p>${words}</p>${shown.join('')}`)
  await sheet.waitForFunction(() => [...document.images].every((one) => one.complete))
  await sheet.screenshot({ path: `${FILM}/${String(++shots).padStart(2, '0')}.png` })
  await context.close()
}

/** The page that a button of `/demo` opens. */
async function open(door: Page, name: RegExp, size: { width: number; height: number }) {
  const opened = door.context().waitForEvent('page')
  await door.getByRole('link', { name }).click()
  const page = await opened
  await page.setViewportSize(size)
  await page.getByRole('navigation').waitFor()
  return page
}

test('the tour: from the door to the agent’s chair', async () => {
  const { page: door, close } = await visit(stage.chrome, `${stage.server.origin}/demo`, {
    viewport: { width: 1012, height: 670 },
  })
  await door.getByRole('heading', { name: 'The demo contact centre' }).waitFor()
  await shoot('One address, a button a role', door, null)

  const mia = await open(door, /Mia Wong/, { width: 1012, height: 670 })
  const ana = await open(door, /Ana Ruiz/, { width: 390, height: 670 })
  expect(new URL(mia.url()).hostname).not.toBe(new URL(ana.url()).hostname)
  await wallboard(mia)
  const told = (text: string | RegExp) => ana.getByText(text).waitFor()
  await ana.getByRole('button', { name: 'Hold' }).waitFor()
  await shoot('The supervisor sees every call; Ana sees her own', mia, ana)

  const dock = mia.getByRole('complementary', { name: 'Audio Monitoring' })
  const sentence = (text: string) => dock.getByRole('status').filter({ hasText: text }).waitFor()
  const mode = (name: string) => mia.getByRole('radio', { name: new RegExp(`^${name}`) }).click()
  const lit = (n: number) =>
    until(async () => (await dock.locator('.lamp-lit').count()) === n, `${n} lamps are lit`)
  const anything = () => ana.locator('.sentence').count()

  await mia
    .getByRole('button', { name: /^Listen.*Ana Ruiz$/ })
    .first()
    .click()
  await sentence('LISTEN: nobody hears you')
  await until(
    () => mia.evaluate(() => performance.getEntriesByName('undertone:first-sound').length > 0),
    'the first sound',
  )
  expect(await anything()).toBe(0)
  await shoot('Listen: heard at once, and nobody is told', mia, ana)

  await mode('Whisper')
  await sentence('WHISPER: only Ana Ruiz hears you')
  await told(/Mia Wong is speaking to you\. The customer cannot hear Mia Wong/)
  await lit(1)
  await shoot('Whisper: Ana hears Mia, the customer does not', mia, ana)

  const ears = dock.getByRole('group', { name: 'Hear as (demo)' })
  const own = 'me'
  const there = await ears.getByRole('button').allTextContents()
  const customer = there.find((name) => ![own, 'Ana Ruiz'].includes(name)) as string
  for (const ear of [customer, own]) {
    const button = ears.getByRole('button', { name: ear, exact: true })
    await button.click()
    await until(
      async () => (await button.getAttribute('aria-pressed')) === 'true',
      `hear as ${ear}`,
    )
    if (ear === customer) await shoot('Hear as the customer: the whisper is not there', mia, ana)
  }

  if (features.prompts) {
    await dock.getByRole('button', { name: 'Verify the account first' }).click()
    await told('Mia Wong writes: “Verify the account first”')
    await ana.getByRole('button', { name: 'Done' }).click()
    await dock.getByText('Ana Ruiz: Done').waitFor()
    await shoot('A line to read, and a silent answer', mia, ana)
  }

  await mode('Barge')
  await sentence('BARGE: Ana Ruiz and the customer hear you')
  await told('Mia Wong has joined: all on the call hear Mia Wong.')
  await lit(2)
  await shoot('Barge: all hear Mia; the lamps show what was measured', mia, ana)

  await mode('Take over')
  await mia.getByRole('button', { name: 'Take over', exact: true }).click()
  await sentence('TAKE OVER: you are on the call; Ana Ruiz is listening')
  await told('Mia Wong has taken the call over.')
  await shoot('Take over: Mia has the customer, Ana listens', mia, ana)

  await mia.getByRole('button', { name: 'Return to agent' }).click()
  await mia.getByRole('dialog').getByRole('button', { name: 'Return to agent' }).click()
  await sentence('LISTEN: nobody hears you')
  await until(async () => (await anything()) === 0, 'nothing more is told to Ana')
  await shoot('Handed back: Ana has her customer again', mia, ana)

  await ana.getByRole('button', { name: 'Hold' }).click()
  await told(/The customer cannot hear you; a supervisor may/)
  await shoot('Ana holds: the customer cannot hear her, a supervisor may', mia, ana)
  await ana.getByRole('button', { name: 'Resume' }).click()
  await ana.getByRole('button', { name: 'Hold' }).waitFor()

  await mia.getByRole('button', { name: /^Leave/ }).click()
  if (features.help) {
    await ana.getByRole('button', { name: 'Raise hand' }).click()
    await ana.getByRole('button', { name: /angry/ }).click()
    await mia
      .getByRole('grid')
      .getByText(/raised hand .*: angry customer/)
      .waitFor()
    await shoot('Ana raises her hand, and her call is on top', mia, ana)
    await mia.getByRole('button', { name: 'I am coming, Ana Ruiz' }).click()
    await told('Mia Wong is coming')
    await ana.getByRole('button', { name: 'Lower hand' }).click()
    await ana.getByRole('button', { name: 'Raise hand' }).waitFor()
  }
  await mia.getByRole('link', { name: 'Open call Ana Ruiz' }).click()
  const strip = mia.locator('.strip')
  for (const part of ['Talk', 'Whisper', 'Barge', 'Take over']) {
    await strip.getByText(part, { exact: false }).first().waitFor()
  }
  await shoot('The call’s page: how long, by whom, and what counts as talk', mia, ana)
  const seconds = (performance.now() - stage.server.readyAt) / 1_000
  console.log(`the tour: ${seconds.toFixed(1)} s from READY to its end, ${steps} steps`)
  await close()
})
