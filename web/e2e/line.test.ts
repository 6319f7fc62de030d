// What breaks under a supervisor who speaks, and that the panel says it: the page's connection is cut, nothing of
// the microphone arrives any more, another page takes the telephone. What it says is held against the server.
import type { Page } from 'playwright-core'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { heardBy, mine } from './ear'
import { opened } from './opened'
import { enter, hangUp, until, visit, wallboard, type Visit } from './stage'

const stage = opened()
/** A busy machine takes its time. */
const WITHIN = { timeout: 60_000 }
let here: Visit
let page: Page

beforeEach(async () => {
  here = await visit(stage.chrome, stage.server.origin)
  page = here.page
})
afterEach(async () => {
  await here.close()
  await hangUp(stage.server)
  await until(async () => (await mine(stage.server)) === null, 'nothing of Mia is left', 60_000)
})

const panelOf = (one: Page) => one.getByRole('complementary', { name: 'Audio Monitoring' })
const dock = () => panelOf(page)
const says = (text: string | RegExp) =>
  dock().getByRole('status').filter({ hasText: text }).first().waitFor(WITHIN)
const saysNo = (text: string) =>
  dock()
    .getByText(text)
    .waitFor({ state: 'detached', ...WITHIN })
const start = (one: Page, mode: string) =>
  one
    .getByRole('button', { name: new RegExp(`^${mode}.*Ana Ruiz$`) })
    .first()
    .click()

/** The page's connection by a way that can be cut: then it opens, and nothing passes. */
async function cuttable(one: Page) {
  let cut = false
  const open = new Set<() => void>()
  await one.routeWebSocket(/\/api\/v1\/events/, (socket) => {
    if (cut) return
    const server = socket.connectToServer()
    open.add(() => void Promise.all([server.close(), socket.close()]))
  })
  return {
    cut: () => {
      cut = true
      for (const close of open) close()
      open.clear()
    },
    mend: () => (cut = false),
  }
}

test('a page that is cut off says who will hear one, claims nothing, and tells what it fell to', async () => {
  const line = await cuttable(page)
  await enter(page, stage.server)
  await wallboard(page)
  await start(page, 'Whisper')
  await says('WHISPER: only Ana Ruiz hears you')
  await heardBy(stage.server, ['agent'])
  await dock().locator('.lamp-lit').waitFor(WITHIN)

  line.cut()
  await says(
    'No connection to the server, reconnecting. If it stays so, nobody hears you any more.',
  )
  await says('Last known: WHISPER: only Ana Ruiz hears you')
  expect(await page.title()).toMatch(/^Last known: WHISPER: only Ana Ruiz hears you · /)
  await until(
    async () => (await dock().locator('.lamp-unknown').count()) === 2,
    'both lamps are unknown',
    60_000,
  )
  await until(
    async () => (await mine(stage.server))?.mode === 'listen',
    'the server has come down to listen',
    60_000,
  )
  line.mend()
  await says('Connected again.')
  await says('You are in Listen now: your page was gone for too long.')
  await says(/^LISTEN: nobody hears you/)
  await saysNo('Connected again.')
  await dock().getByRole('button', { name: 'Dismiss' }).click()
  await saysNo('You are in Listen now')
  // And one may whisper again.
  await page.getByRole('radio', { name: /^Whisper/ }).click()
  await says(/^WHISPER: only Ana Ruiz hears you/)
  await heardBy(stage.server, ['agent'])
})

test('that nothing of the microphone arrives is said, and so is that it does again', async () => {
  await page.addInitScript(() => {
    const all: RTCPeerConnection[] = []
    Object.assign(window, { all })
    window.RTCPeerConnection = class extends RTCPeerConnection {
      constructor(...how: ConstructorParameters<typeof RTCPeerConnection>) {
        super(...how)
        all.push(this)
      }
    }
  })
  await enter(page, stage.server)
  await wallboard(page)
  await start(page, 'Barge')
  await says('BARGE: Ana Ruiz and the customer hear you')
  await heardBy(stage.server, ['agent', 'customer'])
  await dock().locator('.mic-speaking').getByText('it hears you').waitFor(WITHIN)
  const send = (on: boolean) =>
    page.evaluate(async (on) => {
      const { all, track } = window as unknown as {
        all: RTCPeerConnection[]
        track: MediaStreamTrack | null
      }
      const sender = all.at(-1)?.getSenders()[0]
      if (!on) Object.assign(window, { track: sender?.track })
      await sender?.replaceTrack(on ? track : null)
    }, on)
  await send(false)
  await says('Nothing of your sound arrives: nobody hears you.')
  await send(true)
  await says('Your sound arrives again.')
  await saysNo('Nothing of your sound arrives')
  await heardBy(stage.server, ['agent', 'customer'])
})

test('a page whose telephone another page takes is told, raises nothing, and takes it back', async () => {
  await enter(page, stage.server)
  await wallboard(page)
  await start(page, 'Listen')
  await says('LISTEN: nobody hears you')
  const { page: other, close } = await visit(stage.chrome, stage.server.origin)
  await enter(other, stage.server)
  await wallboard(other)
  await other.getByRole('button', { name: /^Listen, Bo/ }).click()
  const before = (await mine(stage.server))?.id
  await panelOf(other).getByRole('button', { name: 'Use it here' }).click(WITHIN)
  await panelOf(other).getByText('Ana Ruiz ↔').waitFor(WITHIN)

  const elsewhere = 'Your phone is open in another page.'
  await dock().getByText(elsewhere).waitFor(WITHIN)
  await page.getByRole('radio', { name: /^Whisper/ }).click()
  await dock()
    .getByRole('alert')
    .filter({ hasText: 'your phone is open in another page' })
    .first()
    .waitFor(WITHIN)
  expect(await mine(stage.server)).toMatchObject({ id: before, mode: 'listen' })

  await dock().getByRole('button', { name: 'Use it here' }).click()
  await panelOf(other).getByText(elsewhere).waitFor(WITHIN)
  await page.getByRole('radio', { name: /^Whisper/ }).click()
  await says('WHISPER: only Ana Ruiz hears you')
  await heardBy(stage.server, ['agent'])
  expect((await mine(stage.server))?.id).toBe(before)
  await close()
})

test('a copy of a tab is another page: it takes nothing from the first', async () => {
  await enter(page, stage.server)
  await wallboard(page)
  await start(page, 'Listen')
  await says('LISTEN: nobody hears you')
  const before = (await mine(stage.server))?.id
  const name = () => page.evaluate(() => sessionStorage.getItem('undertone.tab'))
  const kept = await page.evaluate(() => ({ ...sessionStorage }))
  // As the browser's own "Duplicate tab" does it: the same storage before the first script runs.
  const copy = await page.context().newPage()
  await copy.addInitScript((from: Record<string, string>) => {
    if (!sessionStorage.getItem('copied'))
      for (const [key, value] of Object.entries({ ...from, copied: 'yes' }))
        sessionStorage.setItem(key, value)
  }, kept)
  await copy.goto(page.url())
  await wallboard(copy)
  const other = await copy.evaluate(() => sessionStorage.getItem('undertone.tab'))
  expect([other !== null, other !== (await name())]).toEqual([true, true])
  await panelOf(copy).waitFor({ state: 'detached' })
  await start(copy, 'Listen')
  await panelOf(copy).getByText('your phone is open in another page').waitFor(WITHIN)
  await says('LISTEN: nobody hears you')
  expect((await mine(stage.server))?.id).toBe(before)
  // A reload is no copy.
  const mineBefore = await name()
  await page.reload()
  await says('LISTEN: nobody hears you')
  expect(await name()).toBe(mineBefore)
})
