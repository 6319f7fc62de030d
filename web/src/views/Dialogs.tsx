// What opens over a page: keys, where one hears, and the two questions of a takeover. One at a time.
import { Button, Group, Modal, Radio, Stack, Text } from '@mantine/core'
import { useEffect, useState } from 'react'
import type { AgentAfter } from '../api/types'
import { enter } from '../state/attend'
import { agentOf, shownName } from '../state/people'
import { HeadsetDialog } from './HeadsetDialog'
import { KeysDialog } from './KeysDialog'
import { LeaveDialog } from './LeaveDialog'
import { useApp, useStore, useWords } from './use'

export function Dialogs() {
  const { dialog } = useApp()
  const open = useStore(dialog)
  useFocusBack()
  switch (open.kind) {
    case 'keys':
      return <KeysDialog />
    case 'headset':
      return <HeadsetDialog />
    case 'takeover':
      return <TakeoverDialog callId={open.callId} />
    case 'leave':
      return <LeaveDialog then={open.then} />
    case 'hand_back':
      return <HandBackDialog />
    case 'none':
      return null
  }
}

/** Whoever opened it has the focus again when it is closed; the modal itself is gone by then. */
function useFocusBack() {
  // As it is before the modal takes it.
  const [before] = useState(() => document.activeElement)
  useEffect(
    () => () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus()
    },
    [before],
  )
}

function useClose() {
  const { dialog } = useApp()
  return () => dialog.set({ kind: 'none' })
}

const closeLabel = (word: string) => ({ 'aria-label': word })

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
    if (hearOn) void enter(app, callId, hearOn, { mode: 'takeover', agent_after: after })
    else app.dialog.set({ kind: 'headset' })
  }
  const whisperFirst = () => {
    const hearOn = app.hearOn('whisper')
    close()
    if (hearOn) void enter(app, callId, hearOn, { mode: 'whisper' })
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
