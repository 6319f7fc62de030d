// One's own microphone while one is to be heard: a bar, and beside it a word for what the bar means.
import type { MicWord } from '../../state/mic'
import { useApp, useStore, useWords } from '../use'

/** Said aloud as they come; the others change with every sentence that one speaks. */
const SPOKEN: readonly MicWord[] = ['dead', 'muted', 'shut']

export function Microphone() {
  const { mic } = useApp()
  const words = useWords()
  const { word, level } = useStore(mic)
  if (word === 'none') return null
  const said = words.t(`mic.${word}`)
  return (
    <span className={`mic mic-${word}`}>
      <span className="mic-name">{words.t('mic.name')}</span>
      <meter
        min={0}
        max={1}
        value={Math.min(1, Math.sqrt(level) * 1.2)}
        aria-label={words.t('mic.level')}
      />
      <span className="mic-word">{said}</span>
      <span className="visually-hidden" role="status">
        {SPOKEN.includes(word) ? said : ''}
      </span>
    </span>
  )
}
