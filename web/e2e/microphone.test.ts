// The microphone is denied: who wants to whisper listens, is told why, and nothing of it reaches the agent. What
// the page says is compared with what the server has, and with what the agent's own page is told.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { ask, browser, demo, enter, hangUp, until, visit, wallboard, type Server } from './stage'

let server: Server
let chrome: Browser
let mia: Page
let ana: Page

interface Wire {
  parties: { id: string; role: string; hears: string[] }[]
  supervisions: {
    state: string
    mode: string
    party_id: string | null
    supervisor: { id: string }
  }[]
}

beforeAll(async () => {
  ;[server, chrome] = await Promise.all([demo(), browser(true)])
  ana = (await visit(chrome, server.origin)).page
  await enter(ana, server, 'ana')
  await ana.getByRole('button', { name: 'Hold' }).waitFor()
})
afterAll(async () => {
  await chrome?.close()
  await server?.stop()
})
beforeEach(async () => {
  await mia?.context().close()
  await hangUp(server)
  await until(async () => (await mine()) === null, 'nothing of Mia is left')
  mia = (await visit(chrome, server.origin)).page
  await enter(mia, server)
  await wallboard(mia)
})

/** Mia's running supervision, as the server has it, and who is measured to hear her. */
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

const dock = () => mia.getByRole('complementary', { name: 'Audio Monitoring' })
const sentence = (text: string) => dock().getByRole('status').filter({ hasText: text }).waitFor()
const refused = () =>
  mia.evaluate(() =>
    navigator.mediaDevices.getUserMedia({ audio: true }).then(
      () => 'given',
      (error: DOMException) => error.name,
    ),
  )

/** For so long the page says it, the server agrees, and nothing comes to the agent. */
async function staysInListen(ms: number): Promise<void> {
  await dock().getByRole('alert').getByText('Allow the microphone to whisper').waitFor()
  await sentence('LISTEN: nobody hears you')
  const radio = dock().getByRole('radio', { name: /^Listen/ })
  expect(await radio.getAttribute('aria-checked')).toBe('true')
  const end = Date.now() + ms
  while (Date.now() < end) {
    expect(await mine()).toEqual({ mode: 'listen', heardBy: [] })
    expect(await ana.locator('.sentence').count()).toBe(0)
  }
}

test('whisper at the row, with the microphone denied: she listens, and is told what to do', async () => {
  expect(await refused()).toBe('NotAllowedError')
  await mia.getByRole('button', { name: /^Whisper.*Ana Ruiz$/ }).click()
  await staysInListen(2_000)
})

test('whisper out of listen, with the microphone denied: she stays, and once it is allowed she whispers', async () => {
  await mia.getByRole('button', { name: 'Listen, Ana Ruiz', exact: true }).click()
  await sentence('LISTEN: nobody hears you')
  await mia.getByRole('radio', { name: /^Whisper/ }).click()
  await staysInListen(2_000)

  await mia.context().grantPermissions(['microphone'])
  await mia.getByRole('radio', { name: /^Whisper/ }).click()
  await sentence('WHISPER: only Ana Ruiz hears you')
  await ana.getByText(/Mia Wong is speaking to you/).waitFor()
  await until(async () => (await mine())?.heardBy.includes('agent'), 'Ana hears Mia')
})
