// What could not be asked for: what failed, from when that is which is shown all the same, and once more.
import { refusedBy } from '../api/client'
import { clockText } from '../state/time'
import { sayRefusal } from './say'
import { Ticking } from './Ticking'
import { useWords } from './use'

interface FailedProps {
  error: unknown
  /** When what is shown was true, by our own clock; 0: nothing is shown. */
  at_ms: number
  again: () => void
}

export function Failed({ error, at_ms, again }: FailedProps) {
  const words = useWords()
  if (!error) return null
  return (
    <div className="trouble">
      <span role="alert">
        {words.t('failed.what', { why: sayRefusal(words, refusedBy(error)) })}
      </span>
      {at_ms > 0 ? (
        <Ticking text={() => words.t('failed.age', { age: clockText(Date.now() - at_ms) })} />
      ) : null}
      <button type="button" className="plain-button" onClick={again}>
        {words.t('live.retry')}
      </button>
    </div>
  )
}
