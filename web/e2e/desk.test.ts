// What a supervisor has at the desk beside the modes: keys that are held, keys of one's own, the check of the
// headset, and the call's page with who heard whom. Real server, real sound.
import type { Page } from 'playwright-core'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { heardBy, heardByNobody, hearers, mine } from './ear'
import { opened } from './opened'
import { browser, enter, hangUp, until, visit, wallboard, type Visit } from './stage'

const stage = opened()
let here: Visit
let page: Page

beforeEach(async () => {
  here = await visit(stage.chrome, stage.server.origin)
  page = here.page
  await enter(page, stage.server)
  await wallboard(page)
})
afterEach(async () => {
  await here.close()
  await hangUp(stage.server)
  await until(async () => (await mine(stage.server)) === null, 'nothing of Mia is left', 60_000)
})

const dock = () => page.getByRole('complementary', { name: 'Audio Monitoring' })
const sentence = (text: string | RegExp) =>
  dock().getByRole('status').filter({ hasText: text }).waitFor()
const start = (mode: string) =>
  page
    .getByRole('button', { name: new RegExp(`^${mode}.*Ana Ruiz$`) })
    .first()
    .click()
const radio = (mode: string) => page.getByRole('radio', { name: new RegExp(`^${mode}`) })
/** The keyboard belongs to the page, to no control on it. */
const letGo = () => page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur())

test('with push-to-talk one is heard while Space is held, and at no other time', async () => {
  await start('Listen')
  await sentence('LISTEN: nobody hears you')
  await dock().getByRole('switch', { name: 'Push-to-talk: hold Space' }).click()
  await radio('Barge').click()
  await sentence('BARGE: Ana Ruiz and the customer hear you, while you hold Space')
  expect(await hearers(stage.server, 3_000)).toEqual([])
  await page.keyboard.down('Space')
  await sentence(/hear you$/)
  await heardBy(stage.server, ['agent', 'customer'])
  expect((await mine(stage.server))?.mode).toBe('barge')
  await page.keyboard.up('Space')
  await heardByNobody(stage.server)
})

test('W held in barge is an aside to the agent alone; let go one is back, muted', async () => {
  await start('Barge')
  await sentence('BARGE: Ana Ruiz and the customer hear you')
  await heardBy(stage.server, ['agent', 'customer'])
  await letGo()
  await page.keyboard.down('w')
  await sentence('WHISPER: only Ana Ruiz hears you')
  await heardBy(stage.server, ['agent'])
  await page.keyboard.up('w')
  await sentence('BARGE: Ana Ruiz and the customer hear you, once you unmute')
  expect(await mine(stage.server)).toMatchObject({ mode: 'barge', muted: true })
  await heardByNobody(stage.server)
})

test('a key may be another one, and none while one types', async () => {
  await page.keyboard.press('?')
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('button', { name: 'Change the key: Mute' }).first().click()
  await page.keyboard.press('[')
  await dialog.getByText('[ is taken: Quieter').waitFor()
  await page.keyboard.press('x')
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'detached' })
  await start('Barge')
  await sentence('BARGE: Ana Ruiz and the customer hear you')
  await letGo()
  await page.keyboard.press('m')
  await page.keyboard.press('x')
  await dock().getByRole('button', { name: 'Unmute' }).waitFor()
  await page.keyboard.press('/')
  await page.keyboard.type('x')
  expect((await mine(stage.server))?.muted).toBe(true)
})

test('the headset check hears the microphone, sounds a tone, and is remembered', async () => {
  await page.getByRole('button', { name: 'Headset: not set up' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('button', { name: 'Speak' }).click()
  await dialog.getByText('You are heard').waitFor({ timeout: 60_000 })
  await dialog.getByRole('button', { name: 'Play a tone' }).click()
  await dialog.getByRole('button', { name: 'Yes' }).click({ timeout: 60_000 })
  await dialog.getByText('Your headset is ready.').waitFor()
  await dialog.getByRole('button', { name: 'Cancel' }).click()
  await page.reload()
  await page.getByRole('button', { name: 'Headset: ready' }).waitFor()
})

test('the headset check says what to do where the microphone is refused', async () => {
  const shy = await browser(true)
  try {
    const { page: other } = await visit(shy, stage.server.origin)
    await enter(other, stage.server)
    await other.getByRole('button', { name: 'Headset: not set up' }).click()
    await other.getByRole('dialog').getByRole('button', { name: 'Speak' }).click()
    await other.getByText('The browser refuses the microphone. Allow it').waitFor()
    await other.getByRole('button', { name: 'Once more' }).waitFor()
  } finally {
    await shy.close()
  }
})

test('the call’s page tells who heard whom, and the whisper never reached the customer', async () => {
  await start('Whisper')
  await sentence('WHISPER: only Ana Ruiz hears you')
  await heardBy(stage.server, ['agent'])
  const call = (await mine(stage.server))?.call
  const customer = call?.parties.find((party) => party.role === 'customer')?.name ?? ''
  await radio('Barge').click()
  await sentence('BARGE: Ana Ruiz and the customer hear you')
  await heardBy(stage.server, ['agent', 'customer'])
  await page.getByRole('button', { name: /^Leave/ }).click()
  await page.goto(`${new URL(page.url()).origin}/calls/${call?.id}`)
  const heard = page.getByRole('region', { name: 'Who heard whom' })
  const row = (text: RegExp) => heard.getByRole('row').filter({ hasText: text })
  const whispered = `${customer} hears Ana Ruiz; Ana Ruiz hears ${customer} and Mia Wong`
  await row(new RegExp(whispered)).first().waitFor()
  await row(new RegExp(`${customer} hears Ana Ruiz and Mia Wong`))
    .first()
    .waitFor()
  await page.getByRole('img', { name: /^Mia Wong: .*Whisper.*; Barge/ }).waitFor()
  await page.getByRole('img', { name: /^Ana Ruiz: talks/ }).waitFor()
  await page.getByRole('img', { name: /Ana Ruiz heard the tone/ }).waitFor()
  const happened = page.getByRole('region', { name: 'What happened' })
  const joined = happened.getByRole('row').filter({ hasText: 'joined: Listen' })
  await joined.first().waitFor()
  const strip = page.locator('.strip')
  expect(await strip.locator('dt').allTextContents()).toEqual(
    expect.arrayContaining([
      'Duration',
      'Talk',
      'Hold',
      'Whisper (not in talk)',
      'Barge (in talk)',
    ]),
  )
  await strip.getByText('Whisper (not in talk)').hover()
  await page.getByRole('tooltip').getByText('it adds nothing to talk').waitFor()
})

test('who asks for less motion gets none: nothing on the page is animated', async () => {
  await page.emulateMedia({ reducedMotion: 'reduce' })
  await start('Listen')
  await sentence('LISTEN: nobody hears you')
  await page.getByRole('button', { name: /^Settings of/ }).click()
  await page.getByRole('menuitemradio', { name: 'Dark' }).waitFor()
  const moving = () =>
    page.evaluate(() =>
      [...document.querySelectorAll('*')]
        .filter((element) => {
          const { animationName, transitionDuration } = getComputedStyle(element)
          const moves = transitionDuration.split(',').some((time) => parseFloat(time) > 0.01)
          return moves || animationName !== 'none'
        })
        .map((element) => element.className.toString()),
    )
  expect(await moving()).toEqual([])
  // And that this looks at anything: without the wish something moves.
  await page.emulateMedia({ reducedMotion: 'no-preference' })
  expect((await moving()).length).toBeGreaterThan(0)
})
