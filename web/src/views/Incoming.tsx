// The bar of a call that rings at this browser: on every page, and told at once to who does not see it.
import { Button } from '@mantine/core'
import { IconPhoneIncoming } from '@tabler/icons-react'
import { features } from '../api/features'
import { incoming } from '../state/incoming'
import { shownName } from '../state/people'
import { clockText } from '../state/time'
import { sayRefusal } from './say'
import { Ticking } from './Ticking'
import { useApp, useSelect, useStore, useWords } from './use'
import { useAgentKeys } from './useKeys'

export function IncomingBar() {
  const app = useApp()
  const words = useWords()
  const session = useStore(app.session)
  const phone = useStore(app.phone)
  const { problem } = useStore(app.answering)
  const me = session.phase === 'in' ? session.me?.person.id : undefined
  const rings = useSelect(
    app.board,
    (board) => (features.answer && me ? incoming(board, phone, me) : null),
    (a, b) => a?.call === b?.call,
  )
  const callId = rings?.call.id
  const waited = (now: number) => clockText(now - Date.parse(rings?.call.started_at ?? ''))
  useAgentKeys(
    callId
      ? {
          answer: () => void app.answering.answer(callId),
          decline: () => void app.answering.decline(callId),
        }
      : {},
  )
  return (
    <div role="status" aria-live="assertive">
      {rings ? (
        <div className="incoming">
          <IconPhoneIncoming size={18} aria-hidden />
          <strong>{words.t('incoming.from', { name: shownName(rings.from) })}</strong>
          {rings.from.name ? <span className="number">{rings.from.number}</span> : null}
          {rings.call.queue ? <span>{rings.call.queue}</span> : null}
          <Ticking text={(now) => words.t('incoming.waited', { time: waited(now) })} />
          <Button size="compact-sm" onClick={() => void app.answering.answer(rings.call.id)}>
            {words.t('incoming.answer')}
          </Button>
          <Button
            size="compact-sm"
            variant="default"
            onClick={() => void app.answering.decline(rings.call.id)}
          >
            {words.t('incoming.decline')}
          </Button>
        </div>
      ) : null}
      {problem ? (
        <p className="trouble">
          {sayRefusal(words, problem)}{' '}
          <button type="button" className="plain-button" onClick={() => app.answering.dismiss()}>
            {words.t('panel.dismiss')}
          </button>
        </p>
      ) : null}
    </div>
  )
}

/** What keeps calls from being heard here, and the way out of it. */
function Trouble({ phase }: { phase: 'lost' | 'failed' | 'elsewhere' }) {
  const { callsHere } = useApp()
  const words = useWords()
  const elsewhere = phase === 'elsewhere'
  return (
    <div className="trouble" role="alert">
      <span>{words.t(phase === 'lost' ? 'incoming.lost' : `phone.${phase}`)}</span>
      {phase === 'lost' ? null : (
        <button
          type="button"
          className="plain-button"
          onClick={() => void callsHere.take(elsewhere)}
        >
          {words.t(elsewhere ? 'phone.use_here' : 'panel.again')}
        </button>
      )}
    </div>
  )
}

/** Whether calls ring in this browser, and one's own microphone in a call that was taken here. */
export function CallsHere() {
  const app = useApp()
  const words = useWords()
  const { phase } = useStore(app.phone)
  useStore(app.board)
  const { muted: mutedIn } = useStore(app.microphone)
  if (!features.answer) return null
  if (phase === 'lost' || phase === 'failed' || phase === 'elsewhere') {
    return <Trouble phase={phase} />
  }
  if (phase !== 'up') {
    return (
      <Button
        size="compact-sm"
        w="fit-content"
        variant="default"
        loading={phase === 'connecting'}
        onClick={() => void app.callsHere.take()}
      >
        {words.t('incoming.here')}
      </Button>
    )
  }
  const callId = app.microphone.ownCall
  const muted = callId !== null && callId === mutedIn
  return (
    <span className="replies">
      <span role="status">{words.t('incoming.is_here')}</span>
      {callId ? (
        <Button
          size="compact-sm"
          variant="default"
          aria-pressed={muted}
          onClick={() => app.microphone.mute(!muted)}
        >
          {words.t(muted ? 'panel.unmute' : 'panel.mute')}
        </Button>
      ) : (
        <Button size="compact-sm" variant="default" onClick={() => void app.callsHere.stop()}>
          {words.t('incoming.not_here')}
        </Button>
      )}
    </span>
  )
}
