// The demo's switch of ears: me, the agent, the customer. What one hears then is what that telephone hears.
import type { Call } from '../../api/types'
import { shownName } from '../../state/people'
import { sayRefusal } from '../say'
import { useApp, useStore, useWords } from '../use'

export function HearAs({ call }: { call: Call }) {
  const { hearAs } = useApp()
  const words = useWords()
  const { party, problem } = useStore(hearAs)
  const ears = call.parties.filter((one) => one.role !== 'supervisor' && one.connected)
  const one = (id: string | null, name: string) => (
    <button
      key={name}
      type="button"
      className="plain-button"
      aria-pressed={party === id}
      onClick={() => (id === null ? hearAs.own() : void hearAs.choose(id))}
    >
      {name}
    </button>
  )
  return (
    <div className="prompts" role="group" aria-label={words.t('ears.title')}>
      <span aria-hidden>{words.t('ears.title')}</span>
      {one(null, words.t('ears.me'))}
      {ears.map((who) => one(who.id, shownName(who)))}
      <span role="status" className="facts">
        {problem ? sayRefusal(words, problem) : party ? words.t('ears.note') : ''}
      </span>
    </div>
  )
}
