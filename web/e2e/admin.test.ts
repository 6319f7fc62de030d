// What an administrator does for everybody: words, health, and lists as sheets.
import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { opened } from './opened'
import { enter, role, visit, wallboard } from './stage'

const stage = opened()

test('words that an administrator saves are on pages that are open, and wrong ones have their sentence', async () => {
  const ada = await visit(stage.chrome, stage.server.origin)
  const mia = await visit(stage.chrome, stage.server.origin)
  await enter(mia.page, stage.server)
  await wallboard(mia.page)
  await enter(ada.page, stage.server, 'ada')
  const { host } = await role(stage.server, 'ada')
  await ada.page.goto(`http://${host}/admin/words`)
  const word = (term: string) => ada.page.getByLabel(`Your own word: ${term}`, { exact: true })
  const save = ada.page.getByRole('button', { name: 'Save for everybody' })
  await word('To be heard by the coached party alone').fill('Tip')
  await ada.page.getByText('Not saved yet').waitFor()
  await save.click()
  await mia.page
    .getByRole('button', { name: /^Tip.*Ana Ruiz$/ })
    .first()
    .waitFor({ timeout: 60_000 })
  await word('To be heard by all').fill('tip')
  await save.click()
  await ada.page.getByRole('alert').waitFor()
  await ada.page.reload()
  await word('To be heard by the coached party alone').waitFor()
  expect(await word('To be heard by the coached party alone').inputValue()).toBe('Tip')
  expect(await word('To be heard by all').inputValue()).toBe('')
  expect([...ada.complaints, ...mia.complaints]).toEqual([])
  await Promise.all([ada.close(), mia.close()])
})

test('health names each part with its state, and the audit is there as a sheet', async () => {
  const { page, complaints, close } = await visit(stage.chrome, stage.server.origin)
  await enter(page, stage.server, 'ada')
  const { host } = await role(stage.server, 'ada')
  await page.goto(`http://${host}/admin/health`)
  for (const part of ['Database', 'Audit chain', 'Media ports']) {
    const row = page.getByRole('row', { name: new RegExp(`^${part}`) })
    await row.getByText(/^(good|worth a look)$/).waitFor({ timeout: 60_000 })
  }
  await page.getByRole('tab', { name: 'Audit' }).click()
  const link = page.getByRole('link', { name: 'Download as CSV' })
  const [sheet] = await Promise.all([page.waitForEvent('download'), link.click()])
  expect(sheet.suggestedFilename()).toMatch(/\.csv$/)
  const [head, ...rows] = (await readFile(await sheet.path(), 'utf8')).split('\r\n')
  expect(head).toMatch(/what/)
  expect(rows.some((row) => row.includes('session.open'))).toBe(true)
  expect(complaints).toEqual([])
  await close()
})
