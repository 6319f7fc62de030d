// The modes as a radio group. It moves on the server's word only; what was asked for is marked meanwhile.
import { useRef, type KeyboardEvent } from 'react'
import { MODES, type Call, type Mode } from '../../api/types'
import { attend } from '../../state/attend'
import { lacking } from '../../state/microphone'
import type { Panel } from '../../state/panel'
import { ModeButton } from '../../ui/ModeButton'
import { effect, modeName, whyOff } from '../say'
import { useAbilities, useApp, useStale, useWords } from '../use'

export function ModeBar({ panel, call }: { panel: Panel; call: Call }) {
  const app = useApp()
  const words = useWords()
  const group = useRef<HTMLDivElement>(null)
  const abilities = useAbilities(call)
  const stale = useStale()
  const now: Mode | null = panel.supervision?.mode ?? null
  const off = (mode: Mode): string | null => {
    if (mode === now) return null
    if (stale && mode !== 'listen') return words.t('off.stale')
    const ability = abilities?.[mode]
    // One attends this call already: that is what makes the change possible, not what forbids it.
    const reasons = (ability?.reasons ?? []).filter((reason) => reason !== 'already_supervising')
    if (!ability || ability.allowed || reasons.length === 0) return null
    return whyOff(words, { ...ability, reasons })
  }
  const shown = MODES.filter((mode) => app.session.may(mode) || abilities?.[mode])
  // One of them can always be reached.
  const stop = shown.find((mode) => mode === now) ?? shown[0]
  const move = (event: KeyboardEvent) => {
    const on = words.rtl ? -1 : 1
    const by = { ArrowRight: on, ArrowDown: 1, ArrowLeft: -on, ArrowUp: -1 }[event.key]
    if (!by) return
    // Arrows move the focus alone: to be heard takes Enter, or Space.
    const stops = [...(group.current?.querySelectorAll<HTMLElement>('[role=radio]') ?? [])]
    const place = stops.indexOf(event.target as HTMLElement)
    stops[(place + by + stops.length) % stops.length]?.focus()
    event.preventDefault()
  }
  return (
    <div
      ref={group}
      className="modes"
      role="radiogroup"
      aria-label={words.t('panel.modes')}
      onKeyDown={move}
    >
      {shown.map((mode) => (
        <ModeButton
          key={mode}
          mode={mode}
          radio
          pressed={mode === now}
          tabIndex={mode === stop ? 0 : -1}
          word={mode === 'takeover' ? `${words.term(mode)}…` : words.term(mode)}
          line={
            panel.wanted === mode
              ? words.t('panel.switching', { mode: words.term(mode) })
              : effect(words, call, mode)
          }
          name={modeName(words, call, mode)}
          off={off(mode)}
          onPick={() => void pick(mode)}
        />
      ))}
    </div>
  )

  async function pick(mode: Mode): Promise<void> {
    // What is in force is asked for again where nothing of one gets through: a microphone that was unplugged.
    const unheard = panel.hearOn.kind === 'phone' && lacking(app.phone.get()) === 'microphone'
    if (mode === now && panel.wanted === null && (mode === 'listen' || !unheard)) return
    await attend(app, call.id, mode)
  }
}
