// A state as icon, word and colour together, never colour alone; and durations that stand still for
// screen readers. Knows no call and no catalogue.
import {
  IconCircle,
  IconCircleFilled,
  IconCircleHalf2,
  IconEye,
  IconMoon,
  IconPencil,
  IconPhone,
  IconPlayerPause,
} from '@tabler/icons-react'
import type { ReactNode } from 'react'

export type StateName =
  | 'available'
  | 'ringing'
  | 'on_call'
  | 'held'
  | 'wrap_up'
  | 'not_available'
  | 'monitoring'
  | 'offline'

const ICONS: Record<StateName, typeof IconPhone> = {
  available: IconCircleFilled,
  ringing: IconCircleHalf2,
  on_call: IconPhone,
  held: IconPlayerPause,
  wrap_up: IconPencil,
  not_available: IconMoon,
  monitoring: IconEye,
  offline: IconCircle,
}

export function StateMark({
  state,
  word,
  children,
}: {
  state: StateName
  word?: string
  children?: ReactNode
}) {
  const Icon = ICONS[state]
  return (
    <span className={`state state-${state}`}>
      <Icon size={14} stroke={2} aria-hidden />
      {word ? <span>{word}</span> : null}
      {children}
    </span>
  )
}

/** Digits that do not dance and are not read out each second. */
export function Digits({ children }: { children: ReactNode }) {
  return (
    <span className="digits" aria-hidden>
      {children}
    </span>
  )
}
