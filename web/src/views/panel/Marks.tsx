// A note, a flag for review, a bookmark; and how often one has heard this agent of late. No agent sees any of it.
import { TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { Supervision } from '../../api/types'
import { keyOf } from '../../state/keys'
import { sayRefusal, shownKey } from '../say'
import { useApp, useStore, useWords } from '../use'

export function Marks({ mine }: { mine: Supervision }) {
  const { marks, preferences } = useApp()
  const words = useWords()
  const { last, problem } = useStore(marks)
  const { keymap, keys } = useStore(preferences)
  const [note, setNote] = useState('')
  const key = keys ? keyOf(keymap, 'bookmark') : null
  return (
    <div className="prompts" role="group" aria-label={words.t('marks.title')}>
      <form
        className="own-prompt"
        onSubmit={(event) => {
          event.preventDefault()
          // What was refused is still there.
          void marks.add('note', note).then((kept) => kept && setNote(''))
        }}
      >
        <TextInput
          size="xs"
          aria-label={words.t('marks.note')}
          placeholder={words.t('marks.note')}
          maxLength={500}
          value={note}
          onChange={(event) => setNote(event.currentTarget.value)}
        />
        <button type="submit" className="plain-button">
          {words.t('marks.keep')}
        </button>
      </form>
      <button type="button" className="plain-button" onClick={() => void marks.add('flag')}>
        {words.t('marks.flag')}
      </button>
      <button type="button" className="plain-button" onClick={() => void marks.add('bookmark')}>
        {words.t('marks.bookmark')}
        {key ? ` (${shownKey(words, key)})` : ''}
      </button>
      <HeardBefore mine={mine} />
      <span role="status" className="facts">
        {problem ? sayRefusal(words, problem) : last ? words.t(`marks.kept_${last.kind}`) : ''}
      </span>
    </div>
  )
}

/** Of the last seven days, this call counted in. */
function HeardBefore({ mine }: { mine: Supervision }) {
  const { api } = useApp()
  const words = useWords()
  const { data } = useQuery({
    queryKey: ['heard-before', mine.id],
    queryFn: () => api.heardBefore(mine.id),
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  })
  const heard = data?.agents.filter((one) => one.calls > 0) ?? []
  if (heard.length === 0) return null
  return (
    <span className="facts">
      {heard.map((one) => words.t('marks.heard', { n: one.calls, name: one.name })).join(' · ')}
    </span>
  )
}
