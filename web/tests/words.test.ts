import { readFileSync, readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { Catalogue, PSEUDO } from '../src/words/catalogue'
import de from '../src/words/de.json'
import en from '../src/words/en.json'
import { PRESETS, REDIRECTS, TERMS, wordsFor } from '../src/words/terms'

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
    expect(REDIRECTS['/live-dashboard']).toBe('/')
    expect(new Set(Object.values(REDIRECTS))).toEqual(new Set(['/', '/live-calls', '/call-status']))
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
