// The question on the way out of a takeover: whoever goes is all that the customer has.
import { Button, Group, Modal, Stack, Text } from '@mantine/core'
import { attend, endAndLeave, handBackAndLeave } from '../state/attend'
import type { Mode } from '../api/types'
import { agentOf, shownName } from '../state/people'
import { useApp, useStore, useWords } from './use'

export function LeaveDialog({ then }: { then: { callId: string; mode: Mode } | null }) {
  const app = useApp()
  const words = useWords()
  const { call } = useStore(app.panel)
  const agent = call ? agentOf(call) : null
  const name = shownName(agent) || words.term('agent')
  const close = () => app.dialog.set({ kind: 'none' })
  const go = async (leaving: Promise<boolean>) => {
    close()
    if ((await leaving) && then) await attend(app, then.callId, then.mode)
  }
  return (
    <Modal
      opened
      onClose={close}
      title={words.t('leave.title')}
      closeButtonProps={{ 'aria-label': words.t('panel.close') }}
      lockScroll={false}
    >
      <Stack>
        <Text>{words.t(agent?.connected ? 'leave.body' : 'leave.body_alone', { name })}</Text>
        <Group justify="flex-end">
          <Button variant="default" onClick={close} data-autofocus>
            {words.t('leave.stay')}
          </Button>
          {agent?.connected ? (
            <Button onClick={() => void go(handBackAndLeave(app))}>
              {words.t('leave.hand_back')}
            </Button>
          ) : null}
          <Button color="red" onClick={() => void go(endAndLeave(app, then !== null))}>
            {words.t('leave.end')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
