// After the call: what came of it, to be said or put aside.
import { agentOf, otherOf, shownName } from '../../state/people'
import { Outcome } from '../panel/Outcome'
import { useApp, useStore, useWords } from '../use'

export function Over() {
  const { callOver } = useApp()
  const words = useWords()
  const call = useStore(callOver)
  if (!call) return null
  const name = shownName(otherOf(call)) || shownName(agentOf(call))
  return (
    <section className="pane own-call">
      <h2>{words.t('call.title', { name })}</h2>
      {/* Of the next call it is another form. */}
      <Outcome key={call.id} call={call} />
      <span>
        <button type="button" className="plain-button" onClick={() => callOver.putAside()}>
          {words.t('panel.dismiss')}
        </button>
      </span>
    </section>
  )
}
