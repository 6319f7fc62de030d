// After a takeover the panel is the supervisor's console for the call: hold, keypad, transfer, end, hand back.
import { Button, Group, TextInput } from '@mantine/core'
import { useState } from 'react'
import { refusedBy } from '../../api/client'
import { features } from '../../api/features'
import type { Call, Supervision } from '../../api/types'
import { sayRefusal } from '../say'
import { useApp, useWords } from '../use'
import { Keypad } from './Keypad'
import { Outcome } from './Outcome'

export function Console({ call, mine }: { call: Call; mine: Supervision }) {
  const app = useApp()
  const words = useWords()
  const [to, setTo] = useState<string | null>(null)
  const [keypad, setKeypad] = useState(false)
  const [wrapUp, setWrapUp] = useState(false)
  const [sure, setSure] = useState(false)
  const [problem, setProblem] = useState<string | null>(null)
  const customer = call.parties.find((party) => party.role === 'customer')
  const agentHere = call.parties.some((party) => party.role === 'agent' && party.connected)
  /** True when it was done. */
  const act = async (doing: Promise<Call | void>): Promise<boolean> => {
    setProblem(null)
    try {
      const now = await doing
      if (now) app.board.call(now, app.clock.now())
      app.live.nudge()
      return true
    } catch (error) {
      setProblem(sayRefusal(words, refusedBy(error)))
      return false
    }
  }
  return (
    <section className="console" aria-label={words.t('panel.console')}>
      <Group gap="xs">
        <Button
          size="compact-sm"
          variant="default"
          onClick={() => void act(customer?.held ? app.api.resume(call.id) : app.api.hold(call.id))}
        >
          {words.t(customer?.held ? 'console.resume' : 'console.hold')}
        </Button>
        <Button
          size="compact-sm"
          variant="default"
          onClick={() => setTo(to === null ? '' : null)}
          aria-expanded={to !== null}
        >
          {words.t('console.transfer')}
        </Button>
        <Button
          size="compact-sm"
          variant="default"
          onClick={() => setKeypad(!keypad)}
          aria-expanded={keypad}
        >
          {words.t('console.keypad')}
        </Button>
        {features.outcome ? (
          <Button
            size="compact-sm"
            variant="default"
            onClick={() => setWrapUp(!wrapUp)}
            aria-expanded={wrapUp}
          >
            {words.t('outcome.title')}
          </Button>
        ) : null}
        {agentHere ? (
          <Button
            size="compact-sm"
            variant="default"
            onClick={() => app.dialog.set({ kind: 'hand_back' })}
          >
            {words.term('hand_back')}
          </Button>
        ) : null}
        <Button
          size="compact-sm"
          color="red"
          variant={sure ? 'filled' : 'default'}
          onClick={() => (sure ? void act(app.api.hangUp(call.id)) : setSure(true))}
          onBlur={() => setSure(false)}
        >
          {words.t(sure ? 'console.end_sure' : 'console.end')}
        </Button>
      </Group>
      {keypad ? <Keypad call={call} mine={mine} /> : null}
      {wrapUp ? <Outcome call={call} /> : null}
      {to !== null ? (
        <form
          onSubmit={(event) => {
            event.preventDefault()
            // A number that was refused is still there to be mended.
            void act(app.api.transfer(call.id, to.trim())).then((done) => done && setTo(null))
          }}
        >
          <Group gap="xs" align="end" mt="xs">
            <TextInput
              label={words.t('console.transfer_to')}
              value={to}
              onChange={(event) => setTo(event.currentTarget.value)}
              required
            />
            <Button type="submit" size="sm">
              {words.t('console.transfer')}
            </Button>
          </Group>
        </form>
      ) : null}
      {problem ? <p role="alert">{problem}</p> : null}
    </section>
  )
}
