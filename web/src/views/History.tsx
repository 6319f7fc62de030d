// Ended calls, newest first. The filters stand in the address, so that a view can be kept and sent.
import { Button, Checkbox, Group, Select, Table, TextInput } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import type { Call } from '../api/types'
import { agentOf, masked, otherOf, shownName } from '../state/people'
import { clockText } from '../state/time'
import { historySearch, type HistorySearch } from './history-search'
import { Failed } from './Failed'
import { SheetLink } from './SheetLink'
import { PageTitle } from './PageTitle'
import { useApp, useStore, useWords } from './use'

/** As the server takes it: days become instants. */
function asked(search: HistorySearch): Record<string, string> {
  const { from, to, agent, queue, supervised } = search
  return {
    ...(from ? { from: new Date(`${from}T00:00:00`).toISOString() } : {}),
    ...(to ? { to: new Date(`${to}T23:59:59.999`).toISOString() } : {}),
    ...(agent ? { agent } : {}),
    ...(queue ? { queue } : {}),
    ...(supervised ? { supervised: 'true' } : {}),
  }
}

export function HistoryPage() {
  const app = useApp()
  const words = useWords()
  const search = useSearch({ from: '/history' })
  const pages = useInfiniteQuery({
    queryKey: ['history', search],
    queryFn: ({ pageParam }) =>
      app.api.history({
        ...asked(search),
        limit: '50',
        ...(pageParam ? { cursor: pageParam } : {}),
      }),
    initialPageParam: '',
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    retry: false,
  })
  const calls = pages.data?.pages.flatMap((page) => page.items) ?? []
  return (
    <div className="page">
      <PageTitle>{words.t('nav.history')}</PageTitle>
      <Filters search={search} />
      <Failed
        error={pages.error}
        at_ms={pages.dataUpdatedAt}
        again={() => void (pages.data ? pages.fetchNextPage() : pages.refetch())}
      />
      {pages.data && calls.length === 0 ? <p className="empty">{words.t('history.none')}</p> : null}
      {calls.length > 0 ? <Calls calls={calls} /> : null}
      {calls.length > 0 ? <SheetLink path="/history/calls" query={asked(search)} /> : null}
      {pages.hasNextPage ? (
        <Button
          variant="default"
          loading={pages.isFetchingNextPage}
          onClick={() => void pages.fetchNextPage()}
        >
          {words.t('audit.more')}
        </Button>
      ) : null}
    </div>
  )
}

function Filters({ search }: { search: HistorySearch }) {
  const words = useWords()
  const navigate = useNavigate()
  const set = (change: Record<string, unknown>) =>
    void navigate({
      to: '/history',
      search: historySearch({ ...search, ...change }),
      replace: true,
    })
  const people = [...useStore(useApp().board).agents.values()]
  const text = (name: 'from' | 'to' | 'queue', type: string) => (
    <TextInput
      type={type}
      label={words.t(`history.${name}`)}
      value={search[name] ?? ''}
      onChange={(event) => set({ [name]: event.currentTarget.value })}
    />
  )
  return (
    <Group align="end" gap="sm" role="search" aria-label={words.t('history.filter')}>
      {text('from', 'date')}
      {text('to', 'date')}
      <Select
        label={words.head('agent')}
        data={people.map((one) => ({ value: one.id, label: one.name }))}
        value={search.agent ?? null}
        onChange={(agent) => set({ agent: agent ?? '' })}
        clearable
        searchable
      />
      {text('queue', 'text')}
      <Checkbox
        label={words.t('history.supervised')}
        checked={search.supervised === true}
        onChange={(event) => set({ supervised: event.currentTarget.checked })}
      />
    </Group>
  )
}

function Calls({ calls }: { calls: Call[] }) {
  const app = useApp()
  const words = useWords()
  const { tv } = useStore(app.preferences)
  const at = (call: Call) =>
    new Date(call.started_at).toLocaleString(words.language === 'de' ? 'de' : 'en', {
      dateStyle: 'medium',
      timeStyle: 'short',
    })
  const other = (call: Call) => {
    const party = otherOf(call)
    return shownName(party, tv) || (party ? masked(party.number) : '')
  }
  const by = (call: Call) =>
    call.supervisions
      .map((one) =>
        words.t('history.by', {
          name: one.supervisor.name,
          modes: [...new Set(one.spans.map((span) => words.term(span.mode)))].join(', '),
        }),
      )
      .join(' · ')
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label={words.t('nav.history')}>
      <Table>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{words.t('call.when')}</Table.Th>
            <Table.Th>{words.head('agent')}</Table.Th>
            <Table.Th>{words.head('customer')}</Table.Th>
            <Table.Th>{words.t('history.queue')}</Table.Th>
            <Table.Th>{words.t('call.duration')}</Table.Th>
            <Table.Th>{words.t('call.talk')}</Table.Th>
            <Table.Th>{words.t('call.supervisions')}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {calls.map((call) => (
            <Table.Tr key={call.id}>
              <Table.Td className="digits">
                <Link to="/calls/$callId" params={{ callId: call.id }}>
                  <time dateTime={call.started_at} title={call.started_at}>
                    {at(call)}
                  </time>
                </Link>
              </Table.Td>
              <Table.Td>{shownName(agentOf(call))}</Table.Td>
              <Table.Td>{other(call)}</Table.Td>
              <Table.Td>{call.queue}</Table.Td>
              <Table.Td className="digits">{clockText(call.timing.duration_ms)}</Table.Td>
              <Table.Td className="digits">{clockText(call.timing.talk_ms)}</Table.Td>
              <Table.Td>{by(call)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  )
}
