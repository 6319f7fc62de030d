// The page one sees first: figures, live calls, and who is free.
import { CallStatus } from './CallStatus'
import { Figures } from './Figures'
import { LiveCalls } from './LiveCalls'
import { PageTitle } from './PageTitle'
import { useWords } from './use'

export function Wallboard() {
  const words = useWords()
  return (
    <div className="wallboard">
      <PageTitle className="visually-hidden">{words.term('wallboard')}</PageTitle>
      <Figures />
      <div className="panes">
        <LiveCalls />
        <CallStatus />
      </div>
    </div>
  )
}
