// What opens over a page: keys, where one hears, and the two questions of a takeover. One at a time.
import {
  Button,
  Group,
  Kbd,
  Modal,
  Radio,
  Stack,
  Switch,
  Table,
  Text,
  TextInput,
} from '@mantine/core'
import { useState } from 'react'
import { features } from '../api/features'
import type { AgentAfter } from '../api/types'
import { agentOf, shownName } from '../state/people'
import { useApp, useStore, useWords } from './use'

export function Dialogs() {
  const { dialog } = useApp()
  const open = useStore(dialog)
  switch (open.kind) {
    case 'keys':
      return <KeysDialog />
    case 'headset':
      return <HeadsetDialog />
    case 'takeover':
      return <TakeoverDialog callId={open.callId} />
    case 'hand_back':
      return <HandBackDialog />
    case 'none':
      return null
  }
}

function useClose() {
  const { dialog } = useApp()
  return () => dialog.set({ kind: 'none' })
}

const closeLabel = (word: string) => ({ 'aria-label': word })

function KeysDialog() {
  const { preferences } = useApp()
  const words = useWords()
  const close = useClose()
  const { keys } = useStore(preferences)
  const rows: [string[], string][] = [
    [['/'], words.t('keys.find')],
    [['g', 'w'], words.t('keys.go', { page: words.term('wallboard') })],
    [['g', 'c'], words.t('keys.go', { page: words.term('live_calls') })],
    [['g', 's'], words.t('keys.go', { page: words.term('call_status') })],
    [['g', 'a'], words.t('keys.go', { page: words.t('nav.admin') })],
    [['j', 'k'], words.t('keys.rows')],
    [['l'], words.t('keys.mode', { mode: words.term('listen') })],
    [['w'], words.t('keys.mode', { mode: words.term('whisper') })],
    [['b'], words.t('keys.mode', { mode: words.term('barge') })],
    [['⇧', 'T'], words.t('keys.takeover')],
    [['Esc'], words.t('keys.escape')],
    [['m'], words.t('keys.mute')],
    [['[', ']'], words.t('keys.volume')],
    [['?'], words.t('keys.help')],
  ]
  return (
    <Modal
      opened
      onClose={close}
      title={words.t('keys.title')}
      closeButtonProps={closeLabel(words.t('panel.close'))}
      lockScroll={false}
    >
      <Stack>
        <Switch
          label={words.t('keys.on')}
          checked={keys}
          onChange={(event) => preferences.change({ keys: event.currentTarget.checked })}
        />
        <Table>
          <Table.Tbody>
            {rows.map(([combination, does]) => (
              <Table.Tr key={does}>
                <Table.Td>
                  {combination.map((key) => (
                    <Kbd key={key} mr={4}>
                      {key}
                    </Kbd>
                  ))}
                </Table.Td>
                <Table.Td>{does}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
        <Text size="sm" c="dimmed">
          {words.t('keys.note')}
        </Text>
      </Stack>
    </Modal>
  )
}

function HeadsetDialog() {
  const app = useApp()
  const words = useWords()
  const close = useClose()
  const mine = useStore(app.preferences)
  const known = app.session.get()
  const fromServer = known.phase === 'in' && known.me !== null
  const [desk, setDesk] = useState(mine.deskPhone)
  const [hearOn, setHearOn] = useState(mine.hearOn)
  const save = () => {
    app.preferences.change({ deskPhone: desk.trim(), hearOn })
    close()
  }
  return (
    <Modal
      opened
      onClose={close}
      title={words.t('headset.title')}
      closeButtonProps={closeLabel(words.t('panel.close'))}
      lockScroll={false}
    >
      <Stack>
        <Text size="sm">
          {words.t(features.phone ? 'headset.explain_phone' : 'headset.explain')}
        </Text>
        {fromServer ? null : (
          <TextInput
            label={words.t('headset.uri')}
            description={words.t('headset.uri_example')}
            value={desk}
            onChange={(event) => setDesk(event.currentTarget.value)}
            data-autofocus
          />
        )}
        <Radio.Group
          label={words.t('headset.hear_on')}
          value={hearOn}
          onChange={(value) => setHearOn(value === 'desk' ? 'desk' : 'browser')}
        >
          <Stack gap="xs" mt="xs">
            <Radio
              value="browser"
              label={words.t(
                features.phone ? 'headset.this_browser' : 'headset.this_browser_listen',
              )}
            />
            <Radio
              value="desk"
              label={words.t('headset.my_desk_phone')}
              disabled={fromServer ? app.devices().length === 0 : desk.trim() === ''}
            />
          </Stack>
        </Radio.Group>
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            {words.t('take.cancel')}
          </Button>
          <Button onClick={save}>{words.t('headset.save')}</Button>
        </Group>
      </Stack>
    </Modal>
  )
}

function TakeoverDialog({ callId }: { callId: string }) {
  const app = useApp()
  const words = useWords()
  const close = useClose()
  const [after, setAfter] = useState<AgentAfter>('listening')
  const call = useStore(app.board).calls.get(callId)?.call
  const name = (call ? shownName(agentOf(call)) : '') || words.term('agent')
  const go = () => {
    const hearOn = app.hearOn('takeover')
    close()
    if (hearOn) void app.panel.open(callId, hearOn, { mode: 'takeover', agent_after: after })
    else app.dialog.set({ kind: 'headset' })
  }
  const whisperFirst = () => {
    const hearOn = app.hearOn('whisper')
    close()
    if (hearOn) void app.panel.open(callId, hearOn, { mode: 'whisper' })
    else app.dialog.set({ kind: 'headset' })
  }
  return (
    <Modal
      opened
      onClose={close}
      title={words.t('take.title')}
      closeButtonProps={closeLabel(words.t('panel.close'))}
      lockScroll={false}
    >
      <Stack>
        <Text>{words.t('take.body', { name })}</Text>
        <Radio.Group
          label={words.t('take.after', { name })}
          value={after}
          onChange={(value) => setAfter(value as AgentAfter)}
        >
          <Stack gap="xs" mt="xs">
            <Radio value="listening" label={words.t('take.listening')} />
            <Radio value="held" label={words.t('take.held')} />
            <Radio value="removed" label={words.t('take.removed')} />
          </Stack>
        </Radio.Group>
        <Group justify="space-between">
          <button type="button" className="plain-button" onClick={whisperFirst}>
            {words.t('take.first')}
          </button>
          <Group>
            <Button variant="default" onClick={close} data-autofocus>
              {words.t('take.cancel')}
            </Button>
            <Button color="red" onClick={go}>
              {words.t('take.do')}
            </Button>
          </Group>
        </Group>
      </Stack>
    </Modal>
  )
}

function HandBackDialog() {
  const app = useApp()
  const words = useWords()
  const close = useClose()
  const { call } = useStore(app.panel)
  const name = (call ? shownName(agentOf(call)) : '') || words.term('agent')
  return (
    <Modal
      opened
      onClose={close}
      title={words.t('back.title', { name })}
      closeButtonProps={closeLabel(words.t('panel.close'))}
      lockScroll={false}
    >
      <Group justify="flex-end">
        <Button variant="default" onClick={close}>
          {words.t('take.cancel')}
        </Button>
        <Button
          data-autofocus
          onClick={() => {
            close()
            void app.panel.agent('hand_back')
          }}
        >
          {words.t('back.do')}
        </Button>
      </Group>
    </Modal>
  )
}
