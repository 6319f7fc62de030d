// Where one hears, how loud, and whether the agent is told.
import { Slider, Switch } from '@mantine/core'
import { keyOf } from '../../state/keys'
import type { Panel } from '../../state/panel'
import { agentOf, shownName } from '../../state/people'
import { shownKey } from '../say'
import { useApp, useStore, useWords } from '../use'
import { Microphone } from './Microphone'

export function Sound({ panel }: { panel: Panel }) {
  const app = useApp()
  const words = useWords()
  const { hearOn, supervision, call } = panel
  const where =
    hearOn.kind === 'sip'
      ? words.t('headset.desk_short', { name: hearOn.name })
      : words.t(hearOn.kind === 'stream' ? 'headset.this_browser_listen' : 'headset.this_browser')
  const name = (call ? shownName(agentOf(call)) : '') || words.term('agent')
  return (
    <div className="sound">
      {hearOn.kind === 'sip' ? null : <Ear phone={hearOn.kind === 'phone'} />}
      <Microphone />
      {supervision && hearOn.kind !== 'stream' ? (
        <Switch
          size="sm"
          label={words.t('panel.alert', { name })}
          checked={supervision.alert}
          onChange={(event) => void app.panel.change({ alert: event.currentTarget.checked })}
        />
      ) : null}
      {hearOn.kind === 'phone' ? <PushToTalk /> : null}
      <button
        type="button"
        className="plain-button"
        onClick={() => app.dialog.set({ kind: 'headset' })}
      >
        {words.t('panel.hear_on', { where })}
      </button>
    </div>
  )
}

/** Its key, if it has one. */
function PushToTalk() {
  const { preferences } = useApp()
  const words = useWords()
  const { pushToTalk, keymap, keys } = useStore(preferences)
  const key = keys ? keyOf(keymap, 'talk') : null
  // Without its key nobody could speak.
  if (!key && !pushToTalk) return null
  return (
    <Switch
      size="sm"
      label={words.t('ptt.tick', { key: shownKey(words, key) })}
      checked={pushToTalk}
      onChange={(event) => preferences.change({ pushToTalk: event.currentTarget.checked })}
    />
  )
}

/** What plays in this browser: its level, and how loud. */
function Ear({ phone }: { phone: boolean }) {
  const app = useApp()
  const words = useWords()
  const stream = useStore(app.player.heard)
  const leg = useStore(app.phone)
  const level = phone ? leg.level : stream.level
  const { volume } = useStore(app.preferences)
  const shown = Math.min(1, Math.sqrt(level) * 1.2)
  return (
    <>
      <span className="ear">
        <span className="visually-hidden">{words.t('panel.level')}</span>
        <meter min={0} max={1} value={shown} aria-label={words.t('panel.level')} />
      </span>
      <Slider
        className="volume"
        size="sm"
        thumbSize={18}
        label={null}
        thumbLabel={words.t('panel.volume')}
        min={0}
        max={1}
        step={0.05}
        value={volume}
        onChange={(value) => {
          app.preferences.change({ volume: value })
          app.player.volume(value)
          app.phone.volume(value)
        }}
      />
    </>
  )
}
