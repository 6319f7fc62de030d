// Ten seconds with one's headset: which microphone, how loud one is, and a tone. Each way in which it may fail
// has its sentence and its way out.
import { Button, Group, NativeSelect, Stack, Text } from '@mantine/core'
import { useEffect, useState } from 'react'
import { browserEars } from '../state/ears'
import { HeadsetCheck, type Check } from '../state/headset'
import { useApp, useStore, useWords } from './use'

export function Checking() {
  const { preferences } = useApp()
  const words = useWords()
  const known = useStore(preferences).headset
  const [check] = useState(() => new HeadsetCheck(browserEars, known?.microphone ?? ''))
  const now = useStore(check)
  useEffect(() => () => check.stop(), [check])
  const { good } = check
  // Kept in the moment in which both are good, whichever came last.
  useEffect(() => {
    if (good) preferences.change({ headset: { microphone: check.get().chosen } })
  }, [good, check, preferences])
  const running = now.phase === 'speaking' || (now.phase === 'heard' && now.left_ms > 0)
  return (
    <section aria-label={words.t('check.title')}>
      <Stack gap="xs">
        <Text fw={600} component="h3">
          {words.t('check.title')}
        </Text>
        {now.microphones.length > 1 ? (
          <NativeSelect
            label={words.t('check.microphone')}
            value={now.chosen}
            onChange={(event) => void check.begin(event.currentTarget.value)}
            data={[
              { value: '', label: words.t('check.browsers_choice') },
              ...now.microphones.map((one) => ({ value: one.id, label: one.name })),
            ]}
          />
        ) : null}
        <Level now={now} />
        <p role="status" className={`facts check-${now.phase}`}>
          {now.phase === 'idle' || now.phase === 'asking' ? '' : words.t(`check.${now.phase}`)}
        </p>
        <p role="status">{now.lost ? words.t('check.lost') : ''}</p>
        <Group gap="xs">
          {running ? null : (
            <Button
              size="compact-sm"
              variant="default"
              loading={now.phase === 'asking'}
              onClick={() => void check.begin()}
            >
              {words.t(now.phase === 'idle' ? 'check.begin' : 'check.again')}
            </Button>
          )}
          <Button
            size="compact-sm"
            variant="default"
            loading={now.tone === 'sounding'}
            onClick={() => void check.tone()}
          >
            {words.t('check.tone')}
          </Button>
        </Group>
        <Heard tone={now.tone} onAnswer={(heard) => check.answer(heard)} />
        <p role="status">{good ? words.t('check.ready') : ''}</p>
      </Stack>
    </section>
  )
}

function Level({ now }: { now: Check }) {
  const words = useWords()
  if (now.phase !== 'speaking' && now.phase !== 'heard') return null
  return (
    <meter
      className="check-level"
      min={0}
      max={1}
      value={Math.min(1, Math.sqrt(now.level) * 1.2)}
      aria-label={words.t('check.level')}
    />
  )
}

function Heard({ tone, onAnswer }: { tone: Check['tone']; onAnswer: (heard: boolean) => void }) {
  const words = useWords()
  if (tone === 'unheard' || tone === 'sounding') return null
  if (tone === 'not_heard') return <p role="status">{words.t('check.not_heard')}</p>
  if (tone === 'heard') return null
  return (
    <Group gap="xs">
      <span role="status">{words.t('check.did_you')}</span>
      <Button size="compact-sm" variant="default" onClick={() => onAnswer(true)}>
        {words.t('check.yes')}
      </Button>
      <Button size="compact-sm" variant="default" onClick={() => onAnswer(false)}>
        {words.t('check.no')}
      </Button>
    </Group>
  )
}
