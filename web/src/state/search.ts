// What the find field finds: pages by any word that anybody uses for them, people and calls by name or
// number. Pure.
import { SYNONYMS, wordsFor, PRESETS, type Term } from '../words/terms'
import type { Board } from './board'
import { agentOf, otherOf, shownName } from './people'

export interface Found {
  kind: 'page' | 'person' | 'call'
  title: string
  to?: string
  callId?: string
}

const PAGES: readonly { term: Term; to: string }[] = [
  { term: 'wallboard', to: '/' },
  { term: 'live_calls', to: '/live-calls' },
  { term: 'call_status', to: '/call-status' },
]
const FIXED: readonly { words: string[]; title: string; to: string }[] = [
  { words: ['admin', 'health', 'status', 'settings'], title: 'Health', to: '/admin/health' },
  { words: ['audit', 'log', 'who did what'], title: 'Audit', to: '/admin/audit' },
  { words: ['words', 'labels', 'preset', 'terms'], title: 'Words', to: '/admin/words' },
]
const AT_MOST = 8

/** Every word for a page, in every preset and language. */
function names(term: Term): string[] {
  const presets = ['en', 'de'].flatMap((language) =>
    PRESETS.map((preset) => wordsFor(language, preset)[term]),
  )
  return [...presets, ...(SYNONYMS[term] ?? [])].map((name) => name.toLowerCase())
}

export function search(what: string, board: Board, term: (term: Term) => string): Found[] {
  const wanted = what.trim().toLowerCase()
  const has = (text: string) => wanted === '' || text.toLowerCase().includes(wanted)
  const pages: Found[] = PAGES.filter((page) => names(page.term).some(has)).map((page) => ({
    kind: 'page',
    title: term(page.term),
    to: page.to,
  }))
  const fixed: Found[] = FIXED.filter((page) => page.words.some(has)).map(({ title, to }) => ({
    kind: 'page',
    title,
    to,
  }))
  if (wanted === '') return [...pages, ...fixed]
  const calls: Found[] = [...board.calls.values()]
    .filter(({ call }) => call.parties.some((party) => has(party.name) || has(party.number)))
    .map(({ call }) => ({
      kind: 'call',
      title: `${shownName(agentOf(call))} ↔ ${shownName(otherOf(call))}`,
      callId: call.id,
    }))
  const people: Found[] = [...board.agents.values()]
    .filter((agent) => has(agent.name) || has(agent.extension ?? ''))
    .map((agent) => ({
      kind: 'person',
      title: agent.extension ? `${agent.name} (${agent.extension})` : agent.name,
      ...(agent.call_id ? { callId: agent.call_id } : {}),
    }))
  const unique = new Map(
    [...pages, ...fixed, ...calls.slice(0, AT_MOST), ...people.slice(0, AT_MOST)].map((f) => [
      f.title,
      f,
    ]),
  )
  return [...unique.values()]
}
