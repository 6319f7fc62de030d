// A server is killed with pages open and started again: the pages say that their data is old, come back by
// themselves, still signed in, and every telephone in a browser with them; what was lost is told in words.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, onTestFailed, test } from 'vitest'
import { House, signInAs } from './house'
import { ask, browser, until, visit, type Server } from './stage'

/** A bar comes after 12 s without a word; a busy machine takes its time. */
const STALE_MS = 40_000
/** Tried again after 8 s at the latest. */
const BACK_MS = 60_000

let house: House
let server: Server
let chrome: Browser
let pages: Record<'mia' | 'ana' | 'bo', Page>

interface Wire {
  state: string
  parties: { id: string; name: string; hears: string[] }[]
  supervisions: { state: string; mode: string; supervisor: { id: string } }[]
}

beforeAll(async () => {
  house = new House([
    { id: 'mia', name: 'Mia Wong', extension: '2001', supervises: true },
    { id: 'ana', name: 'Ana Ruiz', extension: '1001' },
    { id: 'bo', name: 'Bo Chen', extension: '1002' },
  ])
  ;[server, chrome] = await Promise.all([house.start(), browser()])
  const open = async (id: string) => {
    const { page } = await visit(chrome, server.origin)
    await signInAs(page, id)
    return page
  }
  pages = { mia: await open('mia'), ana: await open('ana'), bo: await open('bo') }
})
afterAll(async () => {
  await chrome?.close()
  await house?.stop()
})

/** Both have no telephone but the browser: it rings at Ana, who calls, and then at Bo. */
async function talk(): Promise<void> {
  void fetch(`${server.origin}/api/v1/calls`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${server.key}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ from_agent: '1001', to: '1002' }),
  }).catch(() => {}) // Answered when the call is, or when its server is killed.
  for (const page of [pages.ana, pages.bo]) {
    await page.getByRole('button', { name: 'Answer' }).click({ timeout: BACK_MS })
  }
  for (const page of [pages.ana, pages.bo]) {
    await page.getByRole('button', { name: 'Hold' }).waitFor({ timeout: BACK_MS })
  }
  await until(
    async () => {
      const { items } = await ask<{ items: Wire[] }>(server, '/calls')
      const [one, other] = items[0]?.parties ?? []
      return one && other && one.hears.includes(other.id) && other.hears.includes(one.id)
    },
    'Ana and Bo hear each other',
    BACK_MS,
  )
}

/** The panel says it, and sound has come since the click. */
async function listen(): Promise<void> {
  const { mia } = pages
  await mia.evaluate(() => performance.clearMarks())
  await mia
    .getByRole('button', { name: /^Listen, / })
    .first()
    .click()
  await dock().getByRole('status').filter({ hasText: 'LISTEN: nobody hears you' }).waitFor()
  await until(
    () => mia.evaluate(() => performance.getEntriesByName('undertone:first-sound').length > 0),
    'Mia hears the call',
    BACK_MS,
  )
}

const dock = () => pages.mia.getByRole('complementary', { name: 'Audio Monitoring' })
const all = () => Object.values(pages)

test('a server killed with pages open: they say so, and come back with board, telephones and sign-in', async () => {
  onTestFailed(async () => {
    for (const page of all()) console.log(await page.locator('body').innerText())
  })
  for (const page of [pages.ana, pages.bo]) {
    await page.getByRole('button', { name: 'Take calls in this browser' }).click()
    await page.getByText('Calls ring in this browser.').waitFor()
  }
  await talk()
  await listen()
  expect(await house.kill()).toBe(true)
  const bar = (page: Page) => page.getByText(/Live data paused \d+ s, reconnecting/)
  await Promise.all(all().map((page) => bar(page).waitFor({ timeout: STALE_MS })))
  // The panel stands, and nothing can be raised on data that is old; only leaving is always possible.
  await dock()
    .getByRole('button', { name: /^Leave/ })
    .waitFor()
  const barge = dock().getByRole('radio', { name: /^Barge/ })
  expect(await barge.getAttribute('aria-disabled')).toBe('true')

  const before = server.origin
  server = await house.start()
  expect(server.origin).toBe(before)
  const gone = { state: 'detached', timeout: BACK_MS } as const
  await Promise.all(all().map((page) => bar(page).waitFor(gone)))
  await dock().getByRole('status').filter({ hasText: 'ended' }).waitFor({ timeout: BACK_MS })
  await dock().getByRole('button', { name: 'Close' }).click()
  await dock().waitFor({ state: 'detached' })
  for (const page of all()) await page.getByRole('navigation').waitFor()
  await pages.mia.getByText('No call is live.', { exact: false }).waitFor()

  // Nobody clicked anything, and yet the telephones ring again.
  for (const page of [pages.ana, pages.bo]) {
    await page.getByText('Calls ring in this browser.').waitFor({ timeout: BACK_MS })
  }
  await talk()
  await listen()
  await dock()
    .getByRole('button', { name: /^Leave/ })
    .click()
  await pages.ana.getByRole('button', { name: 'End' }).click()
  await pages.bo.getByText('No call.', { exact: false }).waitFor()
})
