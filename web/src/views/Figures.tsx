// The strip of figures over the board: only what is known, and no zero that means nothing.
import { clockText } from '../state/time'
import { running } from '../state/people'
import { useApp, useNow, useStore, useWords } from './use'

export function Figures() {
  const app = useApp()
  const words = useWords()
  const board = useStore(app.board)
  const now = useNow()
  if (!board.loaded) return <div className="figures" />
  const calls = [...board.calls.values()].map(({ call }) => call)
  const agents = [...board.agents.values()]
  const count = (state: string) => calls.filter((call) => call.state === state).length
  const oldest = Math.min(...calls.map((call) => Date.parse(call.started_at)))
  const supervised = calls.filter((call) => running(call).length > 0).length
  const free = agents.filter((agent) => agent.state === 'available').length
  const figures: [string, string][] = [[words.t('kpi.live'), String(calls.length)]]
  if (count('ringing') > 0) figures.push([words.t('kpi.ringing'), String(count('ringing'))])
  if (count('held') > 0) figures.push([words.t('kpi.held'), String(count('held'))])
  if (calls.length > 0) figures.push([words.t('kpi.longest'), clockText(now - oldest)])
  if (supervised > 0) figures.push([words.t('kpi.supervised'), String(supervised)])
  if (agents.length > 0) {
    figures.push([words.t('kpi.available'), words.t('kpi.of', { some: free, all: agents.length })])
  }
  return (
    <dl className="figures">
      {figures.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd className="digits">{value}</dd>
        </div>
      ))}
    </dl>
  )
}
