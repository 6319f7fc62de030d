// How React reads the state: the app by context, stores by subscription, the clock by one shared tick.
import { createContext, useCallback, useContext, useRef, useSyncExternalStore } from 'react'
import { useQuery } from '@tanstack/react-query'
import type { Abilities, Call } from '../api/types'
import type { App } from '../state/app'
import { staleFor } from '../state/board'
import { keyOf } from '../state/keys'
import { lacking } from '../state/microphone'
import type { Panel } from '../state/panel'
import type { Store } from '../state/store'
import type { Catalogue } from '../words/catalogue'
import { sentence, shownKey } from './say'

export const AppContext = createContext<App | null>(null)

export function useApp(): App {
  const app = useContext(AppContext)
  if (!app) throw new Error('a view stands outside the app')
  return app
}

export function useStore<T>(store: Store<T>): T {
  return useSyncExternalStore(store.watch, store.get)
}

/** A part of a store: drawn again only when that part is another. */
export function useSelect<T, S>(
  store: Store<T>,
  select: (value: T) => S,
  same: (a: S, b: S) => boolean = Object.is,
): S {
  const last = useRef<{ value: S } | null>(null)
  const get = () => {
    const value = select(store.get())
    if (last.current && same(last.current.value, value)) return last.current.value
    last.current = { value }
    return value
  }
  return useSyncExternalStore(store.watch, get)
}

/** Server time, once a second. */
export function useNow(): number {
  const { ticker, clock } = useApp()
  useSyncExternalStore(ticker.watch, ticker.seconds.get)
  return clock.now()
}

/** Whether the board is so old that nothing may be raised on it. */
export function useStale(): boolean {
  const { board, ticker } = useApp()
  const watch = useCallback(
    (watcher: () => void) => {
      const [tick, told] = [ticker.watch(watcher), board.watch(watcher)]
      return () => (tick(), told())
    },
    [board, ticker],
  )
  return useSyncExternalStore(watch, () => staleFor(board.get(), Date.now()) !== null)
}

export function useWords(): Catalogue {
  const { words } = useApp()
  useStore(words.version)
  return words
}

/**
 * Which modes one may enter on a call, and why not. Asked again when anything that decides it is another; where there
 * are many calls, only of the one that somebody is `about` to attend.
 */
export function useAbilities(call: Call, about = true): Abilities | undefined {
  const { api, session } = useApp()
  const now = useStore(session)
  const rights = now.phase === 'in' ? (now.me?.rights ?? []) : []
  const by = call.supervisions.map(({ id, state, mode }) => [id, state, mode])
  const held = call.parties.filter((party) => party.held).map((party) => party.id)
  const query = useQuery({
    queryKey: ['abilities', call.id, call.state, call.parties.length, held, by, rights],
    queryFn: () => api.abilities(call.id),
    enabled: about && session.supervises && call.state !== 'ended',
    staleTime: 15_000,
    retry: false,
  })
  return query.data
}

/** The sentence of the mode, whoever shows it. */
export function useSentence(panel: Panel): string | null {
  const { preferences, microphone, phone, connection } = useApp()
  const lost = useStore(connection).lost_ms !== null
  const words = useWords()
  const { pushToTalk: chosen, keymap, keys } = useStore(preferences)
  const { held } = useStore(microphone)
  const lacks = useSyncExternalStore(phone.watch, () => lacking(phone.get()))
  const key = chosen && !held ? shownKey(words, keys ? keyOf(keymap, 'talk') : null) : null
  const said = sentence(words, panel, { lacks, key })
  // Of what it is now the server alone could tell.
  const old = said !== null && lost && panel.phase === 'live'
  return old ? words.t('sentence.last_known', { sentence: said }) : said
}
