// The state that one is in, chosen from a menu: free, or away and why; what comes after the call is said beside it.
import { Button, Menu } from '@mantine/core'
import { IconChevronDown } from '@tabler/icons-react'
import { useState } from 'react'
import { refusedBy } from '../../api/client'
import { features } from '../../api/features'
import type { Agent } from '../../api/types'
import type { Catalogue } from '../../words/catalogue'
import { StateMark, type StateName } from '../../ui/State'
import { sayAway, sayRefusal } from '../say'
import { Since } from '../Ticking'
import { useApp, useWords } from '../use'

/** Said to everybody, so they are codes; each page says them in its own language. */
const REASONS = ['break', 'meal', 'training', 'meeting'] as const

export function OwnState({ agent }: { agent: Agent }) {
  const app = useApp()
  const words = useWords()
  const [problem, setProblem] = useState<string | null>(null)
  const { next } = agent
  const change = async (state: 'available' | 'not_available', reason: string | null) => {
    setProblem(null)
    await app.api
      .myState(state, reason)
      .catch((error: unknown) => setProblem(sayRefusal(words, refusedBy(error))))
  }
  const name = stateWord(words, agent)
  return (
    <div className="own-state">
      {features.agentState ? (
        <Menu position="bottom-start" shadow="md">
          <Menu.Target>
            <Button
              size="compact-md"
              variant="default"
              rightSection={<IconChevronDown size={14} aria-hidden />}
              aria-label={words.t('own.change', { state: name })}
            >
              <StateMark state={agent.state as StateName} word={name} />
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            {agent.state === 'on_call' ? (
              <Menu.Label>{words.t('own.after_call')}</Menu.Label>
            ) : null}
            <Menu.Item onClick={() => void change('available', null)}>
              {words.t('agent.available')}
            </Menu.Item>
            {REASONS.map((reason) => (
              <Menu.Item key={reason} onClick={() => void change('not_available', reason)}>
                {words.t(`own.${reason}`)}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      ) : (
        <StateMark state={agent.state as StateName} word={name} />
      )}
      <Since at={agent.since} />
      {next ? (
        <span className="facts">
          {words.t('own.next', { state: stateWord(words, { ...agent, ...next }) })}
        </span>
      ) : null}
      {problem ? <span role="alert">{problem}</span> : null}
    </div>
  )
}

function stateWord(words: Catalogue, agent: { state: string; reason?: string | null }): string {
  const state = words.t(`agent.${agent.state}` as 'agent.available')
  if (agent.state !== 'not_available' || !agent.reason) return state
  return `${state}: ${sayAway(words, agent.reason)}`
}
