// The wrap-up of a call that one took over: what came of it, in three fields and one button.
import { Button, Group, Radio, Stack, TextInput } from '@mantine/core'
import { useState } from 'react'
import type { Call } from '../../api/types'
import { OutcomeForm } from '../../state/outcome'
import { sayRefusal } from '../say'
import { useApp, useStore, useWords } from '../use'

const RESOLVED = { yes: true, no: false } as const

export function Outcome({ call }: { call: Call }) {
  const { api } = useApp()
  const words = useWords()
  const [form] = useState(() => new OutcomeForm(api, call))
  const now = useStore(form)
  const resolved = now.resolved === null ? null : now.resolved ? 'yes' : 'no'
  return (
    <form
      className="outcome"
      aria-label={words.t('outcome.title')}
      onSubmit={(event) => {
        event.preventDefault()
        void form.keep()
      }}
    >
      <Stack gap="xs">
        <h3>{words.t('outcome.title')}</h3>
        <Group gap="xs" align="end">
          <TextInput
            size="xs"
            label={words.t('outcome.disposition')}
            maxLength={40}
            value={now.disposition}
            onChange={(event) => form.say({ disposition: event.currentTarget.value })}
          />
          <TextInput
            size="xs"
            label={words.t('outcome.reason')}
            maxLength={80}
            value={now.reason}
            onChange={(event) => form.say({ reason: event.currentTarget.value })}
          />
        </Group>
        <Radio.Group
          size="xs"
          label={words.t('outcome.resolved')}
          value={resolved}
          onChange={(value) => form.say({ resolved: RESOLVED[value as keyof typeof RESOLVED] })}
        >
          <Group gap="md" mt={4}>
            <Radio value="yes" label={words.t('check.yes')} />
            <Radio value="no" label={words.t('check.no')} />
          </Group>
        </Radio.Group>
        <Group gap="xs">
          <Button type="submit" size="compact-sm" loading={now.state === 'keeping'}>
            {words.t('outcome.keep')}
          </Button>
          <span role="status">{now.state === 'kept' ? words.t('outcome.kept') : ''}</span>
        </Group>
        {now.problem ? <p role="alert">{sayRefusal(words, now.problem)}</p> : null}
      </Stack>
    </form>
  )
}
