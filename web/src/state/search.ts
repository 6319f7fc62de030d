// What the find field finds: pages by any word that anybody uses for them, calls and people by name or number, and
// with the word for what they are. Pure.
import type { Catalogue } from '../words/catalogue'
import { callWords, PLACES, wordsOf, type Place } from '../words/pages'
import type { Board } from './board'
import { agentOf, otherOf, shownName } from './people'

export interface Found {
  kind: 'page' | 'person' | 'call'
  title: string
  to?: string
  callId?: string
}

const AT_MOST = 8
const CALL_WORDS = callWords()

/** `there`: whether a page is one that this person has. */
export function search(
  what: string,
  board: Board,
  words: Pick<Catalogue, 't' | 'term'>,
  there: (place: Place) => boolean = () => true,
): Found[] {
  const wanted = what.trim().toLowerCase()
  const titleOf = ({ title }: Place) =>
    'term' in title ? words.term(title.term) : words.t(title.message)
  const pages: Found[] = PLACES.filter(there)
    .filter((place) =>
      [titleOf(place).toLowerCase(), ...wordsOf(place)].some((name) => name.includes(wanted)),
    )
    .map((place) => ({ kind: 'page', title: titleOf(place), to: place.to }))
  if (wanted === '') return pages
  const found = [...pages, ...calls(wanted, board), ...people(wanted, board)]
  return [...new Map(found.map((one) => [one.title, one])).values()]
}

/** "call", "lead Jane", "Ana": words for what it is are no part of whom it is with. */
function calls(wanted: string, board: Board): Found[] {
  const parts = wanted.split(/\s+/)
  const who = parts.filter((part) => !CALL_WORDS.has(part))
  const has = (text: string) => who.every((part) => text.toLowerCase().includes(part))
  return [...board.calls.values()]
    .filter(({ call }) => call.parties.some((party) => has(`${party.name} ${party.number}`)))
    .slice(0, AT_MOST)
    .map(({ call }) => ({
      kind: 'call',
      title: `${shownName(agentOf(call))} ↔ ${shownName(otherOf(call))}`,
      callId: call.id,
    }))
}

function people(wanted: string, board: Board): Found[] {
  const has = (text: string) => text.toLowerCase().includes(wanted)
  return [...board.agents.values()]
    .filter((agent) => has(agent.name) || has(agent.extension ?? ''))
    .slice(0, AT_MOST)
    .map((agent) => ({
      kind: 'person',
      title: agent.extension ? `${agent.name} (${agent.extension})` : agent.name,
      ...(agent.call_id ? { callId: agent.call_id } : {}),
    }))
}
