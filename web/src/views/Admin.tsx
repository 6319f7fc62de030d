// Administration, as far as it is there: health, the audit, and the words.
import { Button, Select, Table, Tabs, TextInput } from '@mantine/core'
import { IconCircleCheck, IconAlertTriangle } from '@tabler/icons-react'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useParams } from '@tanstack/react-router'
import { refusedBy } from '../api/client'
import type { AuditRow } from '../api/types'
import { staleFor } from '../state/board'
import { running } from '../state/people'
import type { Preset } from '../words/terms'
import { PRESETS, TERMS, wordsFor } from '../words/terms'
import { sayReason, sayRefusal } from './say'
import { useApp, useNow, useStore, useWords } from './use'

const TABS = ['health', 'audit', 'words'] as const
type Tab = (typeof TABS)[number]

export function AdminPage() {
  const words = useWords()
  const navigate = useNavigate()
  const { tab } = useParams({ from: '/admin/$tab' })
  const at: Tab = TABS.find((one) => one === tab) ?? 'health'
  return (
    <div className="page">
      <h1>{words.t('admin.title')}</h1>
      <Tabs
        value={at}
        keepMounted={false}
        onChange={(to) => void navigate({ to: '/admin/$tab', params: { tab: to ?? 'health' } })}
      >
        <Tabs.List>
          {TABS.map((one) => (
            <Tabs.Tab key={one} value={one}>
              {words.t(`admin.${one}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="health" pt="md">
          <Health />
        </Tabs.Panel>
        <Tabs.Panel value="audit" pt="md">
          <Audit />
        </Tabs.Panel>
        <Tabs.Panel value="words" pt="md">
          <WordsTab />
        </Tabs.Panel>
      </Tabs>
    </div>
  )
}

function Health() {
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
  const calls = [...board.calls.values()]
  const age = Math.floor((Date.now() - board.heard_ms) / 1000)
  const rows: [string, boolean, string][] = [
    [
      words.t(ready.data === false ? 'health.ready_not' : 'health.ready'),
      ready.data !== false && !ready.error,
      '',
    ],
  ]
  if (board.loaded) {
    rows.push([
      words.t('health.live'),
      staleFor(board, Date.now()) === null,
      words.t('health.live_age', { age }),
    ])
    rows.push([words.t('health.calls'), true, String(calls.length)])
    rows.push([words.t('health.people'), true, String(board.agents.size)])
    const supervising = calls.reduce((sum, { call }) => sum + running(call).length, 0)
    rows.push([words.t('health.supervisions'), true, String(supervising)])
  }
  return (
    <>
      <Table maw={560}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{words.t('health.check')}</Table.Th>
            <Table.Th>{words.t('health.value')}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map(([name, good, value]) => (
            <Table.Tr key={name}>
              <Table.Td>{name}</Table.Td>
              <Table.Td>
                <span className={good ? 'good' : 'bad'}>
                  {good ? (
                    <IconCircleCheck size={16} aria-hidden />
                  ) : (
                    <IconAlertTriangle size={16} aria-hidden />
                  )}
                  {value || words.t(good ? 'health.ok' : 'health.bad')}
                </span>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      <p>
        <a href="/api/docs">{words.t('health.docs')}</a>
      </p>
    </>
  )
}

function Audit() {
  const app = useApp()
  const words = useWords()
  const pages = useInfiniteQuery({
    queryKey: ['audit'],
    queryFn: ({ pageParam }) =>
      app.api.audit({ limit: 50, ...(pageParam ? { cursor: pageParam } : {}) }),
    initialPageParam: '',
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    retry: false,
  })
  if (pages.error) return <p role="alert">{sayRefusal(words, refusedBy(pages.error))}</p>
  const rows = pages.data?.pages.flatMap((page) => page.items) ?? []
  if (pages.data && rows.length === 0) return <p className="empty">{words.t('audit.none')}</p>
  return (
    <>
      <div className="scroll" tabIndex={0} role="region" aria-label={words.t('audit.caption')}>
        <Table captionSide="top">
          <Table.Caption>{words.t('audit.caption')}</Table.Caption>
          <Table.Thead>
            <Table.Tr>
              {(['when', 'who', 'what', 'call', 'outcome', 'from'] as const).map((column) => (
                <Table.Th key={column}>{words.t(`audit.${column}`)}</Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows.map((row) => (
              <AuditLine key={row.seq} row={row} />
            ))}
          </Table.Tbody>
        </Table>
      </div>
      {pages.hasNextPage ? (
        <Button
          mt="sm"
          variant="default"
          loading={pages.isFetchingNextPage}
          onClick={() => void pages.fetchNextPage()}
        >
          {words.t('audit.more')}
        </Button>
      ) : null}
    </>
  )
}

function AuditLine({ row }: { row: AuditRow }) {
  const app = useApp()
  const words = useWords()
  const board = useStore(app.board)
  const who = row.person_id
    ? (board.agents.get(row.person_id)?.name ?? row.person_id)
    : words.t('audit.system')
  const refused = row.outcome === 'refused'
  const why = row.reasons.map((reason) => sayReason(words, reason)).join('; ')
  return (
    <Table.Tr>
      <Table.Td className="digits">
        <time dateTime={row.at} title={row.at}>
          {new Date(row.at).toLocaleString(words.language === 'de' ? 'de' : 'en', {
            dateStyle: 'short',
            timeStyle: 'medium',
          })}
        </time>
      </Table.Td>
      <Table.Td>{who}</Table.Td>
      <Table.Td>
        <code>{row.what}</code>
      </Table.Td>
      <Table.Td>
        {row.call_id ? (
          <Link to="/calls/$callId" params={{ callId: row.call_id }}>
            {row.call_id.slice(-6)}
          </Link>
        ) : null}
      </Table.Td>
      <Table.Td>
        <span className={refused ? 'bad' : 'good'}>
          {refused ? words.t('audit.refused', { why }) : words.t('audit.allowed')}
        </span>
      </Table.Td>
      <Table.Td>{row.origin}</Table.Td>
    </Table.Tr>
  )
}

function WordsTab() {
  const app = useApp()
  const words = useWords()
  const mine = useStore(app.preferences)
  const base = wordsFor(mine.language, mine.preset)
  const own = (term: (typeof TERMS)[number], word: string) => {
    const next = { ...mine.words, [term]: word }
    if (word.trim() === '') delete next[term]
    app.preferences.change({ words: next })
  }
  return (
    <>
      <p>{words.t('words.explain')}</p>
      <Select
        label={words.t('top.labels')}
        maw={320}
        allowDeselect={false}
        data={PRESETS.map((preset) => ({ value: preset, label: words.t(`preset.${preset}`) }))}
        value={mine.preset}
        onChange={(preset) => app.preferences.change({ preset: preset as Preset })}
      />
      <Table maw={640} mt="md">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{words.t('words.term')}</Table.Th>
            <Table.Th>{words.t('words.shown')}</Table.Th>
            <Table.Th>{words.t('words.own')}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {TERMS.map((term) => (
            <Table.Tr key={term}>
              <Table.Td>
                <code>{term}</code>
              </Table.Td>
              <Table.Td>{words.term(term)}</Table.Td>
              <Table.Td>
                <TextInput
                  aria-label={`${words.t('words.own')}: ${term}`}
                  placeholder={base[term]}
                  value={mine.words[term] ?? ''}
                  onChange={(event) => own(term, event.currentTarget.value)}
                />
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      <Button mt="md" variant="default" onClick={() => app.preferences.change({ words: {} })}>
        {words.t('words.reset')}
      </Button>
    </>
  )
}
