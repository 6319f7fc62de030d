import { readFileSync, readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { Catalogue, PSEUDO } from '../src/words/catalogue'
import de from '../src/words/de.json'
import en from '../src/words/en.json'
import { PRESETS, SYNONYMS, TERMS, wordsFor } from '../src/words/terms'
import { PLACES, redirects, slug, wordsOf } from '../src/words/pages'
import { LiveBoard } from '../src/state/board'
import { search } from '../src/state/search'

const placeholders = (text: string) =>
  new Set([...text.matchAll(/\{(\w+)[,}]/g)].map((match) => match[1]))
const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.tsx?$/.test(name))
  .map((name) => readFileSync(`src/${name}`, 'utf8'))

describe('the catalogue', () => {
  test('every message is there in both languages', () => {
    expect(Object.keys(de).sort()).toEqual(Object.keys(en).sort())
    const empty = Object.entries({ ...en, ...de }).filter(
      ([id, text]) => text === '' && id !== 'why.none',
    )
    expect(empty).toEqual([])
  })

  test('every reason for which the server refuses or ends something has words', () => {
    const codes = ['refusal.rs', 'phone.rs'].flatMap((name) => [
      ...readFileSync(`../crates/core/src/${name}`, 'utf8').matchAll(/=> "([a-z_]+)"/g),
    ])
    expect(codes.length).toBeGreaterThan(50)
    for (const [, code] of codes) expect(Object.keys(en)).toContain(`reason.${code}`)
  })

  test('a translation asks for nothing that the page does not give', () => {
    for (const [id, text] of Object.entries(de)) {
      const given = new Set([...placeholders(en[id as keyof typeof en]), ...TERMS])
      for (const name of placeholders(text)) expect(given, id).toContain(name)
    }
  })

  test('speaks with the organisation’s own words', async () => {
    const words = new Catalogue()
    await words.use('en', 'pbx')
    expect(words.t('effect.barge', { name: 'Ana' })).toBe('Ana and the caller hear you')
    expect(words.term('listen')).toBe('Listen Only')
    await words.use('de', 'undertone', { listen: 'Reinhören' })
    expect(words.t('keys.escape')).toContain('Reinhören')
  })

  test('the language for tests runs right to left and shows what is not in the catalogue', async () => {
    const words = new Catalogue()
    await words.use(PSEUDO, 'undertone')
    expect(words.rtl).toBe(true)
    expect(words.t('panel.leave')).toMatch(/^⟦.*⟧$/)
    expect(words.t('sentence.whisper', { MODE: 'W', names: 'Ana' })).toContain('Ana')
  })
})

test('one row waits, and two rows wait, in both languages', async () => {
  const words = new Catalogue()
  const said = (n: number) => words.t('health.count.waiting', { n })
  await words.use('en', 'undertone')
  expect([said(1), said(2)]).toEqual(['1 row waits to be written', '2 rows wait to be written'])
  await words.use('de', 'undertone')
  expect([said(1), said(2)]).toEqual([
    '1 Zeile wartet auf das Schreiben',
    '2 Zeilen warten auf das Schreiben',
  ])
})

describe('label presets', () => {
  test('name the six that people bring from elsewhere', () => {
    const said = (preset: (typeof PRESETS)[number]) => wordsFor('en', preset)
    expect(said('pbx')).toMatchObject({ barge: 'Join Call', customer: 'caller' })
    expect(said('helpdesk')).toMatchObject({ wallboard: 'Live Dashboard', barge: 'Barge In' })
    expect(said('sales')).toMatchObject({
      listen: 'Monitor',
      whisper: 'Coach',
      panel: 'Live Call',
      customer: 'lead',
    })
    expect(said('talk')).toMatchObject({ agent: 'rep', wallboard: 'Wallboard' })
    expect(said('enterprise')).toMatchObject({
      listen: 'Silent monitoring',
      takeover: 'Call takeover',
    })
    expect(PRESETS.length).toBe(6)
  })

  test('foreign addresses lead to pages of ours', () => {
    expect(redirects()).toMatchObject({
      '/live-dashboard': '/',
      '/livedashboard': '/',
      '/live-uebersicht': '/',
      '/active-calls': '/live-calls',
      '/silent-monitoring': '/live-calls',
      '/callstatus': '/call-status',
      '/rep': '/call-status',
      '/call-history': '/history',
      '/agent-console': '/console',
    })
  })
})

describe('every synonym in every preset', () => {
  const board = new LiveBoard().get()
  const pages = PLACES.map(({ to }) => to)
  const said = async (language: 'en' | 'de', preset: (typeof PRESETS)[number]) => {
    const words = new Catalogue()
    await words.use(language, preset)
    return words
  }

  test.each(PRESETS)('finds its page, whatever is shown: %s', async (preset) => {
    for (const language of ['en', 'de'] as const) {
      const words = await said(language, preset)
      for (const place of PLACES) {
        for (const name of wordsOf(place)) {
          const found = search(name, board, words).map(({ to }) => to)
          expect(found, `${preset} ${language}: ${name}`).toContain(place.to)
        }
      }
    }
  })

  test.each(PRESETS)('is the name of a page, and no raw id is a title: %s', async (preset) => {
    for (const language of ['en', 'de'] as const) {
      const words = await said(language, preset)
      const all = search('', board, words)
      expect(all.map(({ to }) => to)).toEqual(pages)
      for (const { title } of all) expect(title).toMatch(/^[^.]+$/)
      // What is shown is found as well.
      for (const { title, to } of all)
        expect(search(title, board, words).map((one) => one.to)).toContain(to)
    }
  })

  test('leads somewhere as an address, and to a page that has the word', () => {
    const to = redirects()
    for (const place of PLACES) {
      for (const name of wordsOf(place)) {
        const path = `/${slug(name)}`
        const end = to[path] ?? path
        expect(pages, `${name}: ${end}`).toContain(end === '/admin' ? '/admin/health' : end)
        const there = PLACES.filter((one) => wordsOf(one).some((word) => slug(word) === slug(name)))
        expect([...there.map((one) => one.to), path], name).toContain(end)
      }
    }
    for (const path of Object.keys(to)) expect(pages).not.toContain(path)
  })

  test('no term is without any', () => {
    for (const term of TERMS) expect(SYNONYMS[term]?.length, term).toBeGreaterThan(0)
  })
})

describe('the walls', () => {
  test('fetch is called in api alone, and state knows no React', () => {
    const named = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((n) =>
      /\.tsx?$/.test(n),
    )
    for (const name of named) {
      const text = readFileSync(`src/${name}`, 'utf8')
      if (!name.startsWith('api/')) expect(text, name).not.toMatch(/\bfetch\(/)
      if (name.startsWith('state/') || name.startsWith('words/') || name.startsWith('api/')) {
        expect(text, name).not.toMatch(/from '(react|@mantine|@tanstack)/)
      }
      if (name.startsWith('api/') || name.startsWith('ui/'))
        expect(text, name).not.toMatch(/from '\.\.\/(state|views)/)
    }
  })

  test('each file says at its head what it owns', () => {
    for (const text of sources) expect(text.trimStart()).toMatch(/^\/[/*]/)
  })
})
