// Somebody takes a call in the browser: it rings in the page, is answered by one click, heard by who called,
// and ended; a second one is declined by the keyboard. The caller is a real phone of the demo.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { DESK, ask, browser, demo, enter, until, visit, type Server } from './stage'

interface Wire {
  id: string
  state: string
  parties: { id: string; name: string; connected: boolean; hears: string[] }[]
}

let server: Server
let chrome: Browser

beforeAll(async () => {
  ;[server, chrome] = await Promise.all([demo(), browser()])
})
afterAll(async () => {
  await chrome?.close()
  await server?.stop()
})

const adas = async () => {
  const { items } = await ask<{ items: Wire[] }>(server, '/calls')
  return items.find((call) => call.parties.some((party) => party.name === 'Ada Admin')) ?? null
}

/** Mia's desk phone, which answers by itself, calls Ada, who has no telephone but her browser. */
async function ring(page: Page): Promise<void> {
  // Answered when the call is, so that nobody waits for it here.
  void fetch(`${server.origin}/api/v1/calls`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${server.key}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ from_agent: DESK, to: '2009' }),
  }).catch(() => {})
  await page.getByText('Mia Wong calls').waitFor()
}

test('a call rings in the page, is answered by a click, heard by who called, and ended; the next is declined', async () => {
  const { page, close } = await visit(chrome, server.origin)
  await enter(page, server, 'ada')
  await page.goto(`${new URL(page.url()).origin}/console`)
  await page.getByRole('button', { name: 'Take calls in this browser' }).click()
  await page.getByText('Calls ring in this browser.').waitFor()

  await ring(page)
  await page.getByRole('button', { name: 'Answer' }).click()
  await page.getByRole('button', { name: 'Hold' }).waitFor()
  const heard = async () => {
    const call = await adas()
    const named = (name: string) => call?.parties.find((party) => party.name === name)
    const [ada, mia] = [named('Ada Admin'), named('Mia Wong')]
    return ada && mia && mia.hears.includes(ada.id)
  }
  await until(heard, 'Mia hears Ada’s microphone')
  const before = (await adas())?.id
  await page.reload()
  await page.getByText('Calls ring in this browser.').waitFor({ timeout: 60_000 })
  await page.getByRole('button', { name: 'Mute' }).waitFor()
  await until(heard, 'Mia hears Ada’s microphone after the reload', 60_000)
  expect((await adas())?.id).toBe(before)
  await page.getByRole('button', { name: 'Mute' }).click()
  await page.getByRole('button', { name: 'Unmute' }).waitFor()
  await page.getByRole('button', { name: 'End' }).click()
  await until(async () => (await adas()) === null, 'the call has ended')

  await ring(page)
  await page.keyboard.press('Alt+d')
  await until(async () => (await adas()) === null, 'the second call is gone')
  await page.getByText('Mia Wong calls').waitFor({ state: 'detached' })
  await close()
})
