// Microphone, loudspeaker and network, each as a word with a mark; and the ten-second check behind them.
import { IconAlertTriangle, IconCheck, IconQuestionMark } from '@tabler/icons-react'
import { useEffect, useState } from 'react'
import { browserFacts, Preflights, type Preflight, type Tick } from '../../state/preflight'
import { useApp, useStore, useWords } from '../use'

const ICONS = {
  good: IconCheck,
  bad: IconAlertTriangle,
  ask: IconQuestionMark,
  unknown: IconQuestionMark,
}
const CLASSES: Record<Tick, string> = { good: 'good', bad: 'bad', ask: 'warn', unknown: 'facts' }
const PARTS = ['microphone', 'speaker', 'network'] as const

export function Ticks() {
  const app = useApp()
  const words = useWords()
  const [looks] = useState(
    () => new Preflights(() => browserFacts(app.connection.get().lost_ms === null)),
  )
  const now = useStore(looks)
  useEffect(() => {
    const look = () => void looks.look()
    look()
    const stops = [app.connection.watch(look), app.phone.watch(look), app.preferences.watch(look)]
    navigator.mediaDevices?.addEventListener('devicechange', look)
    return () => {
      for (const stop of stops) stop()
      navigator.mediaDevices?.removeEventListener('devicechange', look)
    }
  }, [app, looks])
  return (
    <div className="ticks">
      <ul aria-label={words.t('ticks.title')}>
        {PARTS.map((part) => (
          <li key={part} className={CLASSES[now[part]]}>
            <Mark tick={now[part]} />
            {words.t(`ticks.${part}`)}: {words.t(`ticks.${wordOf(now, part)}`)}
          </li>
        ))}
      </ul>
      <button
        type="button"
        className="plain-button"
        onClick={() => app.dialog.set({ kind: 'headset' })}
      >
        {words.t('ticks.check')}
      </button>
    </div>
  )
}

function Mark({ tick }: { tick: Tick }) {
  const Icon = ICONS[tick]
  return <Icon size={14} aria-hidden />
}

const wordOf = (now: Preflight, part: (typeof PARTS)[number]) =>
  part === 'microphone' && now.because ? now.because : now[part]
