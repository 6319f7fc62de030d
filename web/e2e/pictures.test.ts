// Takes the pictures of docs/pictures from the real pages: `npm run pictures`. Not part of the tests: a
// picture is judged by eyes.
import { mkdirSync } from 'node:fs'
import { test } from 'vitest'
import { browser, demo, enter, hangUp, visit, wallboard } from './stage'

const OUT = process.env['PICTURES_DIR'] ?? new URL('../../docs/pictures', import.meta.url).pathname

test.skipIf(!process.env['PICTURES'])('pictures of every page', async () => {
  mkdirSync(OUT, { recursive: true })
  const [server, chrome] = await Promise.all([demo(), browser()])
  try {
    for (const colorScheme of ['light', 'dark'] as const) {
      const { page, close } = await visit(chrome, server.origin, {
        colorScheme,
        viewport: { width: 1280, height: 800 },
      })
      const take = async (name: string) => {
        await page.mouse.move(2, 790)
        await page.waitForTimeout(400)
        await page.screenshot({ path: `${OUT}/${name}-${colorScheme}.png` })
      }
      await enter(page, server)
      await wallboard(page)
      await page.waitForTimeout(20_000) // until the stories differ
      await take('wallboard')
      await page.getByRole('button', { name: 'Listen, Ana Ruiz', exact: true }).click()
      await page.getByRole('radio', { name: /^Whisper/ }).click()
      await page.getByRole('complementary').getByText('WHISPER: only Ana Ruiz').waitFor()
      await page.locator('.lamp-lit').waitFor()
      await take('whispering')
      await page.getByRole('button', { name: /^Leave/ }).click()
      await page.getByRole('link', { name: 'Open call Ana Ruiz' }).click()
      await page.getByRole('heading', { name: 'What happened' }).waitFor()
      await take('call')
      await hangUp(server)
      await close()
    }
  } finally {
    await chrome.close()
    await server.stop()
  }
})
