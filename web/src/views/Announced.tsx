// The page's voice for who does not see it: which calls have begun to want help.
import { useEffect, useState } from 'react'
import { agentOf, shownName } from '../state/people'
import { sayWhy } from './say'
import { useApp, useStore, useWords } from './use'

const NAMED = 3

export function Announced() {
  const { announcer, whys, board, ticker, clock } = useApp()
  const words = useWords()
  const said = useStore(announcer)
  useEffect(() => {
    const look = () => {
      whys.look(clock.now())
      announcer.look(whys.get(), Date.now())
    }
    const [told, tick] = [board.watch(look), ticker.watch(look)]
    return () => (told(), tick())
  }, [announcer, whys, board, ticker, clock])
  const text = said.calls
    .slice(0, NAMED)
    .flatMap((id) => {
      const [why, seen] = [whys.get().get(id), board.get().calls.get(id)]
      if (!why || !seen) return []
      return [`${shownName(agentOf(seen.call))}: ${sayWhy(words, why, clock.now())}`]
    })
    .join('. ')
  const all = said.all > 0 ? words.t('announce.all', { n: said.all }) : ''
  // As it was when it was said: a second later it is another number, and no news.
  const [spoken, setSpoken] = useState({ of: said, text: '' })
  if (spoken.of !== said) setSpoken({ of: said, text: text === '' ? '' : `${text}. ${all}` })
  return (
    <p className="visually-hidden" role="status" aria-live="polite">
      {spoken.text}
    </p>
  )
}
