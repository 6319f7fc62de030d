// Sound both ways in the browser: Mia hears through WebRTC, and Chromium's own microphone (a beep a second)
// is heard by exactly those whom the panel names. The lamp is compared with what the server measured.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { features } from '../src/api/features'
import { ask, browser, demo, hangUp, signIn, until, visit, wallboard, type Server } from './stage'

interface Wire {
  id: string
  parties: { id: string; role: string; name: string; hears: string[] }[]
  supervisions: {
    id: string
    state: string
    mode: string
    party_id: string | null
    supervisor: { id: string }
  }[]
}

describe.skipIf(!features.phone)('a supervisor in the browser', () => {
  let server: Server
  let chrome: Browser

  beforeAll(async () => {
    ;[server, chrome] = await Promise.all([demo(), browser()])
  })
  afterAll(async () => {
    await chrome?.close()
    await server?.stop()
  })

  async function mine() {
    const { items } = await ask<{ items: Wire[] }>(server, '/calls')
    const all = items.flatMap((call) => call.supervisions.map((one) => ({ ...one, call })))
    return all.find((one) => one.state === 'live' && one.supervisor.id === 'mia') ?? null
  }
  /** Who was measured to hear Mia at some instant of this time. */
  async function hearers(ms: number): Promise<string[]> {
    const roles = new Set<string>()
    const end = Date.now() + ms
    while (Date.now() < end) {
      const now = await mine()
      for (const party of now?.call.parties ?? []) {
        if (now?.party_id && party.hears.includes(now.party_id)) roles.add(party.role)
      }
    }
    return [...roles].sort()
  }
  const sentence = (page: Page, text: string) =>
    page
      .getByRole('complementary', { name: 'Audio Monitoring' })
      .getByRole('status')
      .filter({ hasText: text })
      .waitFor()

  test('hears at once, whispers to the agent alone, barges to both, and the lamps say so', async () => {
    const { page, close } = await visit(chrome, server.origin, { permissions: ['microphone'] })
    await signIn(page, server.key, '')
    await wallboard(page)
    await page.getByRole('button', { name: 'Listen, Ana Ruiz', exact: true }).click()
    await sentence(page, 'LISTEN: nobody hears you')
    await until(
      () => page.evaluate(() => performance.getEntriesByName('undertone:first-sound').length > 0),
      'sound',
    )
    expect(await hearers(2_500)).toEqual([])
    await page.getByRole('radio', { name: /^Whisper/ }).click()
    await sentence(page, 'WHISPER: only Ana Ruiz hears you')
    expect(await hearers(4_000)).toEqual(['agent'])
    await page.locator('.attendee', { hasText: 'Ana Ruiz' }).locator('.lamp-lit').waitFor()
    await page.getByRole('radio', { name: /^Barge/ }).click()
    await sentence(page, 'BARGE: Ana Ruiz and the customer hear you')
    expect(await hearers(4_000)).toEqual(['agent', 'customer'])
    await page.getByRole('button', { name: /^Leave/ }).click()
    await until(async () => (await mine()) === null, 'Mia has left')
    await close()
  })

  test('a reload keeps the leg and the session', async () => {
    await hangUp(server)
    const { page, close } = await visit(chrome, server.origin, { permissions: ['microphone'] })
    await signIn(page, server.key, '')
    await wallboard(page)
    await page.getByRole('button', { name: /^Whisper.*Ana Ruiz$/ }).click()
    await sentence(page, 'WHISPER: only Ana Ruiz hears you')
    const before = (await mine())?.id
    await page.reload()
    await page.getByRole('complementary', { name: 'Audio Monitoring' }).waitFor()
    expect((await mine())?.id).toBe(before)
    await page.getByRole('button', { name: /^Leave/ }).click()
    await close()
  })
})
