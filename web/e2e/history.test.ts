// History with calls in it: more than a page, filters that stand in the address, and a call that was supervised.
// The calls are real ones, between the demo's own telephones, begun and ended through the API.
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { opened } from './opened'
import { DESK, ask, enter, until, visit, wallboard } from './stage'

const stage = opened()
/** One more than a page of the list has. */
const CALLS = 51
const AT_ONCE = 3
const WITHIN = { timeout: 60_000 }

interface Wire {
  id: string
  parties: { person_id: string | null; name: string }[]
}

async function send(method: string, path: string, body?: unknown): Promise<Wire> {
  const response = await fetch(`${stage.server.origin}/api/v1${path}`, {
    method,
    headers: { Authorization: `Bearer ${stage.server.key}`, 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
  return (text === '' ? {} : JSON.parse(text)) as Wire
}

/** Mia's desk phone calls Noor's; both answer by themselves. */
async function talkAndEnd(): Promise<string> {
  const { id } = await send('POST', '/calls', { from_agent: DESK, to: '2002' })
  await send('DELETE', `/calls/${id}`)
  return id
}

const rows = (page: Page) => page.getByRole('region', { name: 'History' }).getByRole('row')
const counts = (page: Page, n: number) =>
  until(async () => (await rows(page).count()) === n + 1, `${n} rows and their head`, 60_000)

test('history has a page of calls, then the older ones; filters stand in the address, and each call opens', async () => {
  const made: string[] = []
  while (made.length < CALLS) {
    const some = Math.min(AT_ONCE, CALLS - made.length)
    made.push(...(await Promise.all(Array.from({ length: some }, talkAndEnd))))
  }
  const ended = async () => {
    const { items } = await ask<{ items: Wire[] }>(
      stage.server,
      '/history/calls?agent=mia&limit=200',
    )
    return items.length === CALLS
  }
  await until(ended, 'all calls of Mia have ended', 60_000)

  const { page, complaints, close } = await visit(stage.chrome, stage.server.origin)
  await enter(page, stage.server)
  await wallboard(page)
  await page.goto(`${new URL(page.url()).origin}/history?agent=mia`)
  await counts(page, 50)
  const older = page.getByRole('button', { name: 'Older' })
  await older.click()
  await counts(page, CALLS)
  await older.waitFor({ state: 'detached' })
  // No call twice, and none missing.
  const links = rows(page).getByRole('link')
  const seen = await links.evaluateAll((all) => all.map((link) => link.getAttribute('href') ?? ''))
  expect(seen.map((href) => href.replace('/calls/', '')).sort()).toEqual([...made].sort())

  // A reload keeps the filter; without it there are others, and supervised ones are none yet.
  await page.reload()
  await counts(page, 50)
  await page.getByRole('checkbox', { name: 'Supervised only' }).click()
  await page.getByText('No call has ended in this time. Widen the filter.').waitFor(WITHIN)
  expect(new URL(page.url()).search).toContain('supervised=true')
  await page.goBack()

  await page.goto(`${new URL(page.url()).origin}/history?agent=mia`)
  await links.first().click()
  await page.getByRole('region', { name: 'What happened' }).waitFor(WITHIN)
  expect(made).toContain(new URL(page.url()).pathname.replace('/calls/', ''))
  expect(complaints).toEqual([])
  await close()
})

test('a call that somebody listened to is among the supervised ones, with who and how', async () => {
  const { items } = await ask<{ items: Wire[] }>(stage.server, '/calls')
  const call = items.find((one) => one.parties.some((party) => party.person_id === 'ana'))
  if (!call) throw new Error('Ana has no call')
  const { page, close } = await visit(stage.chrome, stage.server.origin)
  await enter(page, stage.server)
  await wallboard(page)
  await page.getByRole('button', { name: 'Listen, Ana Ruiz', exact: true }).click()
  await page.getByText('LISTEN: nobody hears you').first().waitFor(WITHIN)
  await send('DELETE', `/calls/${call.id}`)
  await page
    .getByText(/^Ended|The call has ended/)
    .first()
    .waitFor(WITHIN)
  await page.goto(`${new URL(page.url()).origin}/history?supervised=true`)
  const row = rows(page).filter({ hasText: 'Ana Ruiz' })
  await row.getByText('Mia Wong: Listen').waitFor(WITHIN)
  await close()
})
