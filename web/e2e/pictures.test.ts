// Takes the pictures of docs/pictures from the real pages: `npm run pictures`. Not part of the tests: a
// picture is judged by eyes.
import { mkdirSync } from 'node:fs'
import { test } from 'vitest'
import { browser, demo, signIn, visit, wallboard } from './stage'

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
      const sentence = (text: string) =>
        page.getByRole('complementary').getByText(text).first().waitFor()
      await page.getByRole('heading', { name: 'Sign in to Undertone' }).waitFor()
      await take('sign-in')
      await signIn(page, server.key)
      await wallboard(page)
      await page.waitForTimeout(6_000) // until the order has settled and stories differ
      await take('wallboard')
      await page.getByRole('button', { name: 'Listen, Ana Ruiz', exact: true }).click()
      await sentence('LISTEN: nobody hears you')
      await page.waitForTimeout(2_000)
      await take('listening')
      await page.getByRole('radio', { name: /^Whisper/ }).click()
      await sentence('WHISPER: only Ana Ruiz hears you')
      await page.waitForTimeout(2_000)
      await take('whispering')
      await page.getByRole('radio', { name: /^Barge/ }).click()
      await sentence('BARGE: Ana Ruiz and the customer hear you')
      await take('barging')
      await page.getByRole('radio', { name: /^Take over/ }).click()
      await page.getByRole('dialog').waitFor()
      await take('takeover-asks')
      await page.getByRole('button', { name: 'Take over', exact: true }).click()
      await sentence('TAKE OVER: you are on the call')
      await take('taken-over')
      await page.getByRole('button', { name: /^Leave/ }).click()
      await page.getByRole('link', { name: 'Open call Ana Ruiz' }).click()
      await page.getByRole('heading', { name: 'What happened' }).waitFor()
      await take('call')
      for (const tab of ['health', 'audit', 'words']) {
        await page.goto(`${server.origin}/admin/${tab}`)
        await page.getByRole('table').first().waitFor()
        await take(`admin-${tab}`)
      }
      await page.setViewportSize({ width: 320, height: 640 })
      await page.goto(server.origin)
      await wallboard(page)
      await take('narrow')
      await close()
    }
  } finally {
    await chrome.close()
    await server.stop()
  }
})
