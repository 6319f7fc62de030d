// "Mia helped on this call. Useful?": one press, or none.
import { sayRefusal } from './say'
import { ANSWERS } from '../state/wrapup'
import { useApp, useStore, useWords } from './use'

export function WrapUpQuestion() {
  const { wrapUps } = useApp()
  const words = useWords()
  const { questions, thanked, problem } = useStore(wrapUps)
  const asked = questions[0]
  const question = asked ? words.t('useful.ask', { name: asked.name }) : ''
  return (
    <div className="replies" role={asked ? 'group' : undefined} aria-label={question || undefined}>
      <span role="status">{question || (thanked ? words.t('useful.thanks') : '')}</span>
      {asked
        ? ANSWERS.map((answer) => (
            <button
              key={answer}
              type="button"
              className="plain-button"
              onClick={() => void wrapUps.answer(answer)}
            >
              {words.t(`useful.${answer}`)}
            </button>
          ))
        : null}
      {asked ? (
        <button type="button" className="plain-button" onClick={() => wrapUps.skip()}>
          {words.t('panel.dismiss')}
        </button>
      ) : null}
      {problem ? <span role="alert">{sayRefusal(words, problem)}</span> : null}
    </div>
  )
}
