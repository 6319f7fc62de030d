// When nobody is to hear a supervisor, nothing of the microphone leaves the browser: after leaving, after a hand-back,
// after the end of the call, when the server lets one only listen, and when leaving is refused. Measured at what the
// browser sends, with the same measure seeing it while one is heard; and which keys bring one there.
import type { Page } from 'playwright-core'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { heardBy, heardByNobody, mine } from './ear'
import { opened } from './opened'
import { keepLegs, sends, sendsNothing } from './sent'
import { enter, hangUp, until, visit, wallboard, type Visit } from './stage'

const stage = opened()
let here: Visit
let page: Page

beforeEach(async () => {
  here = await visit(stage.chrome, 'about:blank')
  page = here.page
  await keepLegs(page)
  await enter(page, stage.server)
  await wallboard(page)
})
afterEach(async () => {
  await here.close()
  await hangUp(stage.server)
  await until(async () => (await mine(stage.server)) === null, 'nothing of Mia is left', 60_000)
})

const dock = () => page.getByRole('complementary', { name: 'Audio Monitoring' })
/** What the panel says instead is worth knowing. */
const sentence = (text: string | RegExp) =>
  dock()
    .getByRole('status')
    .filter({ hasText: text })
    .waitFor()
    .catch(async () => {
      const said = await dock()
        .innerText({ timeout: 1_000 })
        .catch(() => 'nothing')
      throw new Error(`not said: ${text}; the panel says: ${said}`)
    })
const start = (mode: string) =>
  page
    .getByRole('button', { name: new RegExp(`^${mode}.*Ana Ruiz$`) })
    .first()
    .click()
const left = () => until(async () => (await mine(stage.server)) === null, 'Mia has left')
const barge = async () => {
  await start('Barge')
  await sentence('BARGE: Ana Ruiz and the customer hear you')
  await sends(page)
}

/** As another client of Mia's would. */
async function api(method: string, path: string, body?: object): Promise<void> {
  const { origin, key } = stage.server
  const answer = await fetch(`${origin}/api/v1${path}`, {
    method,
    headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
  expect(answer.ok, `${method} ${path}: ${answer.status}`).toBe(true)
}

test('after Leave, and in the Listen that comes next', async () => {
  await barge()
  await page.getByRole('button', { name: /^Leave/ }).click()
  await dock().waitFor({ state: 'detached' })
  await left()
  await sendsNothing(page)
  await start('Listen')
  await sentence('LISTEN: nobody hears you')
  await sendsNothing(page)
})

test('after a hand-back', async () => {
  await barge()
  await page.getByRole('radio', { name: /^Take over/ }).click()
  await page.getByRole('button', { name: 'Take over', exact: true }).click()
  await sentence('TAKE OVER: you are on the call; Ana Ruiz is listening')
  await sends(page)
  await page.getByRole('button', { name: 'Return to agent' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Return to agent' }).click()
  await sentence('LISTEN: nobody hears you')
  await sendsNothing(page)
})

test('when the server lets one only listen, whoever asked it to', async () => {
  await barge()
  const { id } = (await mine(stage.server)) ?? { id: '' }
  await api('PATCH', `/supervisions/${id}`, { mode: 'listen' })
  await sentence('LISTEN: nobody hears you')
  await sendsNothing(page)
})

test('after the end of the call', async () => {
  await barge()
  const call = (await mine(stage.server))?.call.id ?? ''
  await api('DELETE', `/calls/${call}`)
  await dock()
    .getByText(/^Ended|has ended/)
    .waitFor()
  await sendsNothing(page)
})

test('when Leave is refused: the panel stays and says so, and nobody hears one', async () => {
  await barge()
  await heardBy(stage.server, ['agent', 'customer'])
  await page.route('**/api/v1/supervisions/*', (route) =>
    route.request().method() === 'DELETE' ? route.fulfill({ status: 503 }) : route.continue(),
  )
  await page.getByRole('button', { name: /^Leave/ }).click()
  await dock().getByRole('alert').getByText('You have not left').waitFor()
  await sentence('BARGE: Ana Ruiz and the customer hear you, once you unmute')
  expect((await mine(stage.server))?.mode).toBe('barge')
  await sendsNothing(page)
  await heardByNobody(stage.server)
  await page.unroute('**/api/v1/supervisions/*')
  await dock().getByRole('button', { name: 'Leave again' }).click()
  await dock().waitFor({ state: 'detached' })
  await left()
})

test('muted, nothing leaves the browser', async () => {
  await barge()
  await page.keyboard.press('m')
  await sentence('BARGE: Ana Ruiz and the customer hear you, once you unmute')
  await sendsNothing(page)
  await dock().getByRole('button', { name: 'Unmute' }).click()
  await sends(page)
})

test('Esc closes a dialog and does nothing else; held, it goes to listen and does not leave', async () => {
  await start('Whisper')
  await sentence('WHISPER: only Ana Ruiz hears you')
  const dialog = page.getByRole('dialog')
  for (let n = 0; n < 2; n++) {
    await page.keyboard.press('?')
    await dialog.waitFor()
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
  }
  expect((await mine(stage.server))?.mode).toBe('whisper')
  await sentence('WHISPER: only Ana Ruiz hears you')
  for (let n = 0; n < 8; n++) {
    await page.keyboard.down('Escape')
    await page.waitForTimeout(60)
  }
  await page.keyboard.up('Escape')
  await sentence('LISTEN: nobody hears you')
  expect((await mine(stage.server))?.mode).toBe('listen')
  await sendsNothing(page, 1_000)
})

test('in a takeover Esc opens the question, Esc closes it, and Leave asks', async () => {
  await start('Barge')
  await sentence('BARGE: Ana Ruiz and the customer hear you')
  await page.getByRole('radio', { name: /^Take over/ }).click()
  await page.getByRole('button', { name: 'Take over', exact: true }).click()
  await sentence('TAKE OVER: you are on the call; Ana Ruiz is listening')
  const dialog = page.getByRole('dialog')
  const ask = dialog.getByText('Give the call back to Ana Ruiz?')
  for (let n = 0; n < 2; n++) {
    await page.keyboard.press('Escape')
    await ask.waitFor()
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
  }
  expect((await mine(stage.server))?.mode).toBe('takeover')
  await page.getByRole('button', { name: 'Listen, Bo', exact: false }).first().click()
  await dialog.getByText('The call is yours').waitFor()
  await dialog.getByRole('button', { name: 'Stay' }).click()
  await dialog.waitFor({ state: 'detached' })
  await page.getByRole('button', { name: /^Leave/ }).click()
  await dialog.getByRole('button', { name: 'Return to agent and leave' }).click()
  await dock().waitFor({ state: 'detached' })
  await left()
  await sendsNothing(page)
})

test('W held with the focus still on the row’s Barge is the aside, and let go one is back', async () => {
  await barge()
  await page.keyboard.down('w')
  for (let n = 0; n < 5; n++) await page.keyboard.down('w') // as a key that is kept down repeats
  await sentence('WHISPER: only Ana Ruiz hears you')
  await page.keyboard.up('w')
  await sentence('BARGE: Ana Ruiz and the customer hear you, once you unmute')
  expect(await mine(stage.server)).toMatchObject({ mode: 'barge', muted: true })
})
