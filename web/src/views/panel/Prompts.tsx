// Written words to the coached agent, ready ones and one's own, and the agent's silent replies.
import { TextInput } from '@mantine/core'
import { useState } from 'react'
import { refusedBy } from '../../api/client'
import type { Call, Supervision } from '../../api/types'
import { repliesTo } from '../../state/notes'
import { agentOf, shownName } from '../../state/people'
import { sayRefusal } from '../say'
import { useApp, useStore, useWords } from '../use'

const READY = ['prompt.verify', 'prompt.callback', 'prompt.slower'] as const

export function Prompts({ call, mine }: { call: Call; mine: Supervision }) {
  const app = useApp()
  const words = useWords()
  const reply = repliesTo(useStore(app.notes), mine.id)[0]
  const [own, setOwn] = useState<string | null>(null)
  const [said, setSaid] = useState('')
  const name = shownName(agentOf(call)) || words.term('agent')
  const send = async (text: string) => {
    try {
      await app.api.prompt(mine.id, text)
      setSaid(words.t('prompt.sent', { name, text }))
      setOwn(null)
    } catch (error) {
      setSaid(sayRefusal(words, refusedBy(error)))
    }
  }
  return (
    <div className="prompts" role="group" aria-label={words.t('prompt.title', { name })}>
      {READY.map((id) => (
        <button
          key={id}
          type="button"
          className="plain-button"
          onClick={() => void send(words.t(id))}
        >
          {words.t(id)}
        </button>
      ))}
      {own === null ? (
        <button type="button" className="plain-button" onClick={() => setOwn('')}>
          {words.t('prompt.own')}
        </button>
      ) : (
        <form
          onSubmit={(event) => {
            event.preventDefault()
            if (own.trim() !== '') void send(own.trim())
          }}
        >
          <TextInput
            size="xs"
            aria-label={words.t('prompt.title', { name })}
            maxLength={200}
            autoFocus
            value={own}
            onChange={(event) => setOwn(event.currentTarget.value)}
          />
        </form>
      )}
      <span role="status" className="facts">
        {reply
          ? words.t('reply.from', { name: reply.from.name, reply: words.t(`reply.${reply.reply}`) })
          : said}
      </span>
    </div>
  )
}
