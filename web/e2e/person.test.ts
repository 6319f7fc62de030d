// What is one's own: the password and its sessions; the agent's question after the call; and, of the demo, the
// hand that goes up by itself.
import { expect, test } from 'vitest'
import { opened } from './opened'
import { ask, enter, role, visit, wallboard } from './stage'

const stage = opened(['--hand-after-s', '2'])

test('Ana raises her hand some time after a supervisor has come', async () => {
  const { page, close } = await visit(stage.chrome, stage.server.origin)
  await enter(page, stage.server)
  await wallboard(page)
  await page
    .getByRole('grid')
    .getByText(/raised hand .*: policy/)
    .waitFor({ timeout: 60_000 })
  await page.getByRole('button', { name: 'I am coming, Ana Ruiz' }).waitFor()
  await close()
})

test('the password is changed: each refusal has its sentence, and the other sessions end', async () => {
  const { page, close } = await visit(stage.chrome, stage.server.origin)
  const other = await visit(stage.chrome, stage.server.origin)
  await enter(page, stage.server, 'ada')
  await enter(other.page, stage.server, 'ada')
  const { password, host } = await role(stage.server, 'ada')
  await page.getByRole('button', { name: /^Settings of/ }).click()
  await page.getByRole('menuitem', { name: 'Change password' }).click()
  const send = async (old: string, fresh: string, again: string) => {
    await page.getByLabel('Present password').fill(old)
    await page.getByLabel(/^New password(?! once)/).fill(fresh)
    await page.getByLabel('New password once more').fill(again)
    await page.getByRole('button', { name: 'Change it' }).click()
  }
  const fresh = 'a sentence that is new'
  const refused = (text: string) => page.getByRole('alert').getByText(text).waitFor()
  await send(password, 'short', 'short')
  await refused('at least 10 characters')
  await send(password, fresh, `${fresh}er`)
  await refused('not the same in both fields')
  await send('not the present one', fresh, fresh)
  await refused('The present password is not right.')
  expect(new URL(page.url()).pathname).toBe('/password')
  await send(password, fresh, fresh)
  await page.getByText('Changed. Your other sessions have ended.').waitFor()
  await other.page
    .getByRole('heading', { name: 'Sign in to Undertone' })
    .waitFor({ timeout: 60_000 })
  await page.getByRole('link', { name: 'Wallboard' }).click()
  await wallboard(page)
  await other.page.goto(`http://${host}/`)
  await other.page.getByRole('textbox', { name: 'Name' }).fill('ada')
  await other.page.locator('input[autocomplete=current-password]').fill(fresh)
  await other.page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await wallboard(other.page)
  await Promise.all([close(), other.close()])
})

interface Row {
  what: string
  person_id: string | null
  detail: Record<string, string>
}

test('after the call the agent is asked once of what use the help was, and the answer is in the audit', async () => {
  const mia = await visit(stage.chrome, stage.server.origin)
  const ana = await visit(stage.chrome, stage.server.origin)
  await enter(mia.page, stage.server)
  await enter(ana.page, stage.server, 'ana')
  await wallboard(mia.page)
  await ana.page.getByRole('button', { name: 'End' }).waitFor({ timeout: 60_000 })
  await mia.page
    .getByRole('button', { name: /^Whisper.*Ana Ruiz$/ })
    .first()
    .click()
  await ana.page.getByText(/Mia Wong is speaking to you/).waitFor({ timeout: 60_000 })
  await ana.page.keyboard.press('Alt+e')
  const question = ana.page.getByRole('group', { name: 'Mia Wong helped on this call. Useful?' })
  await question.getByRole('button', { name: 'Too much' }).click({ timeout: 60_000 })
  await ana.page.getByText('Noted.').waitFor({ timeout: 60_000 })
  await question.waitFor({ state: 'detached' })
  const { items } = await ask<{ items: Row[] }>(stage.server, '/audit')
  const said = items.find((row) => row.what === 'supervision.feedback')
  expect(said).toMatchObject({ person_id: 'ana', detail: { useful: 'too_much' } })
  await Promise.all([mia.close(), ana.close()])
})
