// The agent's call for help: one press, then a reason or none; how many were told, and who comes.
import { IconHandStop } from '@tabler/icons-react'
import type { Call } from '../api/types'
import { REASONS } from '../state/hand'
import { clockText } from '../state/time'
import { Digits } from '../ui/State'
import { sayRefusal } from './say'
import { useApp, useNow, useStore, useWords } from './use'

export function Hand({ call }: { call: Call }) {
  const app = useApp()
  const words = useWords()
  const now = useNow()
  const { asking, problem, callId } = useStore(app.hand)
  const help = [...useStore(app.board).help.values()].find((one) => one.call_id === call.id)
  const going = asking === call.id
  const choice = going || (help !== undefined && !help.reason && !help.coming)
  return (
    <div className="hand">
      {!going && !help ? (
        <button type="button" className="plain-button" onClick={() => app.hand.raise(call.id)}>
          <IconHandStop size={16} aria-hidden /> {words.t('hand.raise')}
        </button>
      ) : null}
      <span role="status">
        {going
          ? words.t('hand.why')
          : help?.coming
            ? words.t('hand.coming', { name: help.coming.name })
            : help
              ? words.t(help.urged ? 'hand.urged' : 'hand.sent', { n: help.told })
              : ''}
      </span>
      {help && !help.coming ? <Digits>{clockText(now - Date.parse(help.at))}</Digits> : null}
      {choice
        ? REASONS.map((reason) => (
            <button
              key={reason}
              type="button"
              className="plain-button"
              onClick={() => void app.hand.because(call.id, reason)}
            >
              {words.t(`help.${reason}`)}
            </button>
          ))
        : null}
      {going || help ? (
        <button type="button" className="plain-button" onClick={() => void app.hand.lower(call.id)}>
          {words.t('hand.lower')}
        </button>
      ) : null}
      {problem && callId === call.id ? <p role="alert">{sayRefusal(words, problem)}</p> : null}
    </div>
  )
}
