// Administration, as far as it is there: health, the audit, and the words.
import { Button, Table, Tabs } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Link, useNavigate, useParams } from '@tanstack/react-router'
import type { AuditRow } from '../api/types'
import { Health } from './admin/Health'
import { WordsTab } from './admin/WordsTab'
import { SheetLink } from './SheetLink'
import { Failed } from './Failed'
import { sayReason } from './say'
import { PageTitle } from './PageTitle'
import { useApp, useStore, useWords } from './use'

const TABS = ['health', 'audit', 'words'] as const
type Tab = (typeof TABS)[number]

export function AdminPage() {
  const words = useWords()
  const navigate = useNavigate()
  const { tab } = useParams({ from: '/admin/$tab' })
  const { session } = useApp()
  useStore(session)
  // What one may not see is no tab.
  const tabs = TABS.filter((one) => one !== 'audit' || session.may('see_audit'))
  const at: Tab = tabs.find((one) => one === tab) ?? 'health'
  return (
    <div className="page">
      <PageTitle name={`${words.t(`admin.${at}`)} · ${words.t('admin.title')}`}>
        {words.t('admin.title')}
      </PageTitle>
      <Tabs
        value={at}
        keepMounted={false}
        onChange={(to) => void navigate({ to: '/admin/$tab', params: { tab: to ?? 'health' } })}
      >
        <Tabs.List>
          {tabs.map((one) => (
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
  const rows = pages.data?.pages.flatMap((page) => page.items) ?? []
  if (pages.data && rows.length === 0) return <p className="empty">{words.t('audit.none')}</p>
  const failed = (
    <Failed
      error={pages.error}
      at_ms={pages.dataUpdatedAt}
      again={() => void (pages.data ? pages.fetchNextPage() : pages.refetch())}
    />
  )
  if (!pages.data) return failed
  return (
    <>
      {failed}
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
      <SheetLink path="/audit" query={{}} />
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
