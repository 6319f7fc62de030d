// Every page as it is: nothing for axe to find, in light and dark; whole at 320 px and right to left; and
// nothing that the content security policy had to refuse.
import AxeBuilder from '@axe-core/playwright'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { features } from '../src/api/features'
import { opened } from './opened'
import { enter, role, until, visit, wallboard } from './stage'

/** Where pictures of all of it go, if anybody wants to look. */
const SHOTS = process.env['SHOTS']

const stage = opened()

async function faults(page: Page): Promise<string[]> {
  // A tooltip under the pointer is said with its control, and is no part of a landmark by design.
  await page.mouse.move(0, 0)
  await page.getByRole('tooltip').first().waitFor({ state: 'detached' })
  // In the page itself: the other way opens a second page for each look.
  const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze()
  return violations.flatMap((one) =>
    one.nodes.map((node) => `${one.id}: ${node.html.slice(0, 160)} ${node.failureSummary ?? ''}`),
  )
}

/** Each page, and what opens over it. */
async function tour(page: Page, see: (name: string) => Promise<void>): Promise<void> {
  await page.getByRole('heading', { name: 'Sign in to Undertone' }).waitFor()
  await see('sign-in')
  const mia = await role(stage.server, 'mia')
  await page.getByRole('textbox', { name: 'Name' }).fill(mia.login)
  await page.locator('input[autocomplete=current-password]').fill('not this')
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.getByRole('alert').getByText('name or password is not right').waitFor()
  await page.locator('input[autocomplete=current-password]').fill(mia.password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await wallboard(page)
  await see('wallboard')
  for (const [name, path] of [
    ['live calls', '/live-calls'],
    ['call status', '/call-status'],
    ...(features.history ? ([['history', '/history']] as const) : []),
    ['health', '/admin/health'],
    ['audit', '/admin/audit'],
    ['words', '/admin/words'],
    ['password', '/password'],
    ['no page', '/nothing-here'],
  ] as const) {
    await page.goto(stage.server.origin + path)
    await page.locator('main h1, main h2, main p').first().waitFor()
    if (name === 'audit') await page.getByRole('table').waitFor()
    await see(name)
  }
  await page.goto(`${stage.server.origin}/`)
  await wallboard(page)
  await page.getByRole('link', { name: 'Open call Ana Ruiz' }).click()
  await page.getByRole('heading', { name: /^Call of/ }).waitFor()
  await page.getByRole('region', { name: 'Who heard whom' }).waitFor()
  await see('a call')
  await page.keyboard.press('?')
  await page.getByRole('dialog').waitFor()
  await see('keys')
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await page.getByRole('button', { name: /^Headset/ }).click()
  await page.getByRole('dialog').waitFor()
  await see('headset')
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await page.getByRole('button', { name: /^Settings of/ }).click()
  await page.getByRole('menuitemradio', { name: 'Dark' }).waitFor()
  await see('settings')
  await page.keyboard.press('Escape')
  await page
    .getByRole('button', { name: /^Listen/ })
    .first()
    .click()
  await page
    .getByRole('complementary', { name: 'Audio Monitoring' })
    .getByText('nobody hears you')
    .first()
    .waitFor()
  await page.getByRole('radio', { name: /^Listen/ }).waitFor()
  await see('the panel')
  await page.getByRole('radio', { name: /^Take over/ }).click()
  await page.getByRole('dialog').waitFor()
  await see('takeover asks')
  await page.keyboard.press('Escape')
  // While axe looks, the page is too slow for the sound: the server, or the call, may have ended it,
  // and then the panel is gone by itself.
  const leave = page.getByRole('button', { name: /^(Leave|Close)/ }).first()
  if (await leave.isVisible()) await leave.click({ timeout: 3_000 }).catch(() => {})
}

/** What does not fit across, if anything; an open menu needs a moment to move after a resize. */
async function tooWide(page: Page): Promise<string | null> {
  const over = () =>
    page.evaluate(() => {
      const { scrollWidth, clientWidth } = document.documentElement
      return scrollWidth > clientWidth
        ? `${scrollWidth - clientWidth} px over ${clientWidth}`
        : null
    })
  await until(async () => (await over()) === null, 'it fits', 3_000).catch(() => {})
  return over()
}

const WIDE = { width: 1280, height: 900 }
const NARROW = { width: 320, height: 640 }

/** What axe finds, what does not fit, and a picture where they are wanted. */
function seeing(page: Page, colorScheme: string, found: Record<string, string[]>) {
  return async (name: string) => {
    const here = await faults(page)
    for (const size of [WIDE, NARROW]) {
      await page.setViewportSize(size)
      const wide = await tooWide(page)
      if (wide) here.push(wide)
      if (SHOTS)
        await page.screenshot({ path: `${SHOTS}/${name}-${colorScheme}-${size.width}.png` })
    }
    await page.setViewportSize(WIDE)
    if (here.length > 0) found[name] = here
  }
}

test.each(['light', 'dark'] as const)(
  'in %s every page is whole at 1280 and 320 px, axe finds nothing on it, and the policy refused nothing',
  async (colorScheme) => {
    const { page, complaints, close } = await visit(stage.chrome, stage.server.origin, {
      colorScheme,
      reducedMotion: 'reduce', // half faded in, words have no contrast
      viewport: WIDE,
    })
    const found: Record<string, string[]> = {}
    await tour(page, seeing(page, colorScheme, found))
    expect(found).toEqual({})
    expect(complaints).toEqual([])
    await close()
  },
)

test.each([
  ['light', 'Ana Ruiz'],
  ['dark', 'Chidi Okafor'],
] as const)(
  'in %s the console after a takeover is whole at 1280 and 320 px, and the call that ends asks for its wrap-up',
  async (colorScheme, agent) => {
    const { page, complaints, close } = await visit(stage.chrome, stage.server.origin, {
      colorScheme,
      reducedMotion: 'reduce',
      viewport: WIDE,
    })
    await enter(page, stage.server)
    await wallboard(page)
    await page.getByRole('button', { name: `Listen, ${agent}` }).click()
    await page.getByText(`1st call of ${agent} heard in 7 days`).waitFor()
    await page.getByLabel('Note for the record').fill('asks twice')
    await page.keyboard.press('Enter')
    await page.getByText('Noted.').waitFor()
    await page.getByRole('radio', { name: /^Take over/ }).click()
    await page.getByRole('button', { name: 'Take over', exact: true }).click()
    const yours = page.getByRole('region', { name: 'The call is yours' })
    await yours.getByRole('button', { name: 'Keypad' }).click()
    await yours.getByRole('button', { name: 'Wrap-up' }).click()
    await yours.getByLabel('Disposition').fill('refund')
    const found: Record<string, string[]> = {}
    const see = seeing(page, colorScheme, found)
    await see('console')
    await yours.getByRole('button', { name: 'Keep' }).click()
    await yours.getByText('Kept with the call.').waitFor()
    await yours.getByRole('button', { name: 'End the call' }).click()
    await page.getByRole('button', { name: 'End it for all' }).click()
    await page.getByRole('link', { name: 'Review the call' }).waitFor()
    expect(await page.getByLabel('Disposition').inputValue()).toBe('refund')
    await see('wrap-up')
    expect(found).toEqual({})
    expect(complaints).toEqual([])
    await close()
  },
)

test('right to left the page is mirrored and whole, and every word comes from the catalogue', async () => {
  const { page, close } = await visit(stage.chrome, `${stage.server.origin}/?lang=en-XB`)
  await page.getByRole('button', { name: /API/ }).click()
  await page.getByRole('textbox').first().fill(stage.server.key)
  await page.keyboard.press('Enter')
  await page.getByRole('grid').waitFor()
  const seen = await page.evaluate(() => ({
    dir: document.documentElement.dir,
    over: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    rail: (document.querySelector('.rail')?.getBoundingClientRect().left ?? 0) > 700,
    bare: [...document.querySelectorAll('button, dt, h1, h2, h3, [role=columnheader]')]
      .map((element) => element.textContent ?? '')
      .filter((text) => text !== '' && !text.includes('⟦')),
  }))
  // Names are people's, terms the organisation's, not the catalogue's.
  const terms = [
    ...['Mia Wong', 'Listen', 'Whisper', 'Barge', 'Take over…', 'Wallboard', 'Call status'],
    ...['Agent', 'Customer'],
  ]
  expect(seen).toMatchObject({ dir: 'rtl', over: 0, rail: true })
  expect(seen.bare.filter((text) => !terms.includes(text))).toEqual([])
  await close()
})
