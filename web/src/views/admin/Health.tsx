// How the server is: each part as it measures itself, for who administers it; for anybody else what this
// page sees by itself.
import { Table } from '@mantine/core'
import { IconAlertTriangle, IconCircleCheck, IconInfoCircle } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { refusedBy } from '../../api/client'
import { features } from '../../api/features'
import type { HealthItem } from '../../api/types'
import { staleFor } from '../../state/board'
import { running } from '../../state/people'
import type { Catalogue, MessageId } from '../../words/catalogue'
import { sayRefusal } from '../say'
import { useApp, useNow, useStore, useWords } from '../use'

interface Row {
  name: string
  state: HealthItem['state']
  value: string
  detail: string
}

const ICONS = { ok: IconCircleCheck, warn: IconInfoCircle, bad: IconAlertTriangle }
const CLASSES = { ok: 'good', warn: 'warn', bad: 'bad' }

export function Health() {
  const app = useApp()
  const words = useWords()
  const seen = useSeen()
  const asks = features.health && app.session.may('admin')
  const health = useQuery({
    queryKey: ['health'],
    queryFn: () => app.api.health(),
    enabled: asks,
    refetchInterval: 10_000,
    retry: false,
  })
  const told = (health.data?.items ?? []).map((item) => {
    const id = `health.item.${item.id}`
    const name = words.has(id) ? words.t(id as MessageId) : item.id.replaceAll('_', ' ')
    const counted = sayCounts(words, item)
    if (counted) return { name, state: item.state, ...counted }
    return { name, state: item.state, value: item.value, detail: item.detail ?? '' }
  })
  return (
    <>
      {health.error ? <p role="alert">{sayRefusal(words, refusedBy(health.error))}</p> : null}
      <div className="scroll" tabIndex={0} role="region" aria-label={words.t('admin.health')}>
        <Table maw={820}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{words.t('health.check')}</Table.Th>
              <Table.Th>{words.t('health.state')}</Table.Th>
              <Table.Th>{words.t('health.value')}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {[...seen, ...told].map((row) => (
              <Line key={row.name} row={row} />
            ))}
          </Table.Tbody>
        </Table>
      </div>
      <p>
        <a href="/api/docs">{words.t('health.docs')}</a>
      </p>
    </>
  )
}

/** The figures in words of the catalogue, where it has a sentence for each; else the server's own English. */
function sayCounts(words: Catalogue, item: HealthItem): { value: string; detail: string } | null {
  const said = Object.entries(item.counts).map(([name, n]) => {
    const id = `health.count.${name}`
    return words.has(id) ? words.t(id, { n }) : null
  })
  const [value, ...detail] = said.filter((one) => one !== null)
  // What is broken says why in the server's words.
  if (!value || said.includes(null) || item.state === 'bad') return null
  return { value, detail: detail.join('; ') }
}

function Line({ row }: { row: Row }) {
  const words = useWords()
  const Icon = ICONS[row.state]
  return (
    <Table.Tr>
      <Table.Td>{row.name}</Table.Td>
      <Table.Td>
        <span className={CLASSES[row.state]}>
          <Icon size={16} aria-hidden />
          {words.t(`health.${row.state}`)}
        </span>
      </Table.Td>
      <Table.Td>
        {row.value}
        {row.detail ? <div className="detail">{row.detail}</div> : null}
      </Table.Td>
    </Table.Tr>
  )
}

/** What needs no right. */
function useSeen(): Row[] {
  const app = useApp()
  const words = useWords()
  const board = useStore(app.board)
  useNow()
  const ready = useQuery({
    queryKey: ['ready'],
    queryFn: () => app.api.ready(),
    refetchInterval: 5_000,
    retry: false,
  })
  const row = (name: string, good: boolean, value = ''): Row => ({
    name,
    state: good ? 'ok' : 'bad',
    value,
    detail: '',
  })
  const takes = ready.data !== false && !ready.error
  const rows = [row(words.t(takes ? 'health.ready' : 'health.ready_not'), takes)]
  if (!board.loaded) return rows
  const calls = [...board.calls.values()]
  const age = Math.floor((Date.now() - board.heard_ms) / 1000)
  const supervising = calls.reduce((sum, { call }) => sum + running(call).length, 0)
  return [
    ...rows,
    row(
      words.t('health.live'),
      staleFor(board, Date.now()) === null,
      words.t('health.live_age', { age }),
    ),
    row(words.t('health.calls'), true, String(calls.length)),
    row(words.t('health.people'), true, String(board.agents.size)),
    row(words.t('health.supervisions'), true, String(supervising)),
  ]
}
