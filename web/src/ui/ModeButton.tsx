// A button of a mode: its word, and a small second line that says who will hear one or why it is off. Off
// is told by `aria-disabled`, so that the reason can be reached by keyboard.
import { Tooltip } from '@mantine/core'
import { IconEar, IconMessage2, IconUsersPlus, IconArrowsExchange } from '@tabler/icons-react'
import { memo } from 'react'
import type { Mode } from '../api/types'

const ICONS = {
  listen: IconEar,
  whisper: IconMessage2,
  barge: IconUsersPlus,
  takeover: IconArrowsExchange,
}

export interface ModeButtonProps {
  mode: Mode
  word: string
  /** For screen readers; begins with the word. */
  name: string
  /** The second line; null in dense rows. */
  line?: string | null
  off?: string | null
  pressed?: boolean
  radio?: boolean
  small?: boolean
  tabIndex?: number
  onPick: (mode: Mode) => void
}

/** Memoised, and light: in a list there are four of them a row, and a hundred rows. */
export const ModeButton = memo(function ModeButton(props: ModeButtonProps) {
  const { mode, word, name, line, off, pressed, radio, small, tabIndex, onPick } = props
  const Icon = ICONS[mode]
  const kind = mode === 'listen' || mode === 'whisper' ? 'soft' : 'outlined'
  const button = (
    <button
      type="button"
      className={`mode mode-${kind} mode-is-${mode}${small ? ' mode-small' : ''}`}
      aria-label={off ? `${name}. ${off}` : name}
      aria-disabled={off ? true : undefined}
      data-tip={small ? (off ?? word) : undefined}
      {...(radio ? { role: 'radio', 'aria-checked': pressed ?? false } : {})}
      tabIndex={tabIndex}
      onClick={() => {
        if (!off) onPick(mode)
      }}
    >
      <span className="mode-word">
        <Icon size={16} stroke={2} aria-hidden />
        {word}
      </span>
      {line ? <span className="mode-line">{off ?? line}</span> : null}
    </button>
  )
  if (line || small || !off) return button
  return (
    <Tooltip label={off} events={{ hover: true, focus: true, touch: true }}>
      {button}
    </Tooltip>
  )
})
