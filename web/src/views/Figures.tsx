// The strip of figures over the board: only what is known, and no zero that means nothing.
import type { Board } from '../state/board'
import { running } from '../state/people'
import { clockText } from '../state/time'
import { Ticking } from './Ticking'
import { useApp, useSelect, useWords } from './use'

interface Counted {
  loaded: boolean
  live: number
  ringing: number
  held: number
  supervised: number
  free: number
  people: number
  oldest_ms: number
}

function counted({ loaded, calls, agents }: Board): Counted {
  const sum = { ringing: 0, held: 0, supervised: 0, free: 0, oldest_ms: Infinity }
  for (const { call } of calls.values()) {
    if (call.state === 'ringing') sum.ringing += 1
    if (call.state === 'held') sum.held += 1
    if (running(call).length > 0) sum.supervised += 1
    sum.oldest_ms = Math.min(sum.oldest_ms, Date.parse(call.started_at))
  }
  for (const agent of agents.values()) if (agent.state === 'available') sum.free += 1
  return { ...sum, loaded, live: calls.size, people: agents.size }
}

const same = (a: Counted, b: Counted) =>
  (Object.keys(a) as (keyof Counted)[]).every((key) => a[key] === b[key])

export function Figures() {
  const app = useApp()
  const words = useWords()
  const now = useSelect(app.board, counted, same)
  if (!now.loaded) return <div className="figures" />
  const figures: [string, string | number][] = [[words.t('kpi.live'), now.live]]
  if (now.ringing > 0) figures.push([words.t('kpi.ringing'), now.ringing])
  if (now.held > 0) figures.push([words.t('kpi.held'), now.held])
  if (now.supervised > 0) figures.push([words.t('kpi.supervised'), now.supervised])
  if (now.people > 0) {
    const { free: some, people: all } = now
    figures.push([words.t('kpi.available'), words.t('kpi.of', { some, all })])
  }
  return (
    <dl className="figures">
      {figures.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd className="digits">{value}</dd>
        </div>
      ))}
      {now.live > 0 ? (
        <div>
          <dt>{words.t('kpi.longest')}</dt>
          <dd>
            <Ticking text={(at) => clockText(at - now.oldest_ms)} />
          </dd>
        </div>
      ) : null}
    </dl>
  )
}
