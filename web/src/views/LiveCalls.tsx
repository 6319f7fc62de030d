// The list of live calls: a grid with one tab stop, calm in its order, the call that wants help on top.
import { Button, Skeleton } from '@mantine/core'
import { useDeferredValue, useEffect, useMemo, useRef, useState, type KeyboardEvent } from 'react'
import { Order } from '../state/order'
import { CallRow } from './CallRow'
import { Figures } from './Figures'
import { PageTitle } from './PageTitle'
import { useApp, useSelect, useStore, useWords } from './use'

export function LiveCallsPage() {
  return (
    <div className="wallboard">
      <Figures />
      <LiveCalls heading="h1" />
    </div>
  )
}

export function LiveCalls({ heading = 'h2' }: { heading?: 'h1' | 'h2' }) {
  const app = useApp()
  const words = useWords()
  // Many calls that change at once are drawn in pieces, between which a click is heard.
  const calls = useDeferredValue(useSelect(app.board, (board) => board.calls))
  const loaded = useSelect(app.board, (board) => board.loaded)
  const order = useCalmOrder()
  const shown = useDeferredValue(useStore(order.shown))
  const [at, setAt] = useState<string | null>(null)
  const title = words.t('calls.title', { live_calls: words.term('live_calls'), n: calls.size })
  const first = at !== null && shown.ids.includes(at) ? at : (shown.ids[0] ?? null)
  // Rows stand still under the pointer and under the focus: each by itself, so that neither lets the other's move.
  const grid = useRef<HTMLDivElement>(null)
  const under = useRef({ pointer: false, focus: false })
  const hold = (what: Partial<{ pointer: boolean; focus: boolean }>) => {
    Object.assign(under.current, what)
    order.hold(under.current.pointer || under.current.focus, Date.now())
  }
  useEffect(() => {
    // A row that is gone takes the focus along, and no blur tells of it.
    if (under.current.focus && !grid.current?.contains(document.activeElement)) {
      hold({ focus: false })
    }
  })

  // The rest of a row's keys is read where all keys are (useKeys.ts).
  const keys = (event: KeyboardEvent) => {
    if (event.key !== 'ArrowRight' && event.key !== 'ArrowLeft') return
    const row = (event.target as HTMLElement).closest<HTMLElement>('[data-call]')
    along(row, event.target as HTMLElement, event.key === 'ArrowRight' ? 1 : -1)
    event.preventDefault()
  }

  return (
    <section className="pane calls" aria-labelledby="live-calls">
      <div className="pane-head">
        {heading === 'h1' ? (
          <PageTitle id="live-calls" name={words.term('live_calls')}>
            {title}
          </PageTitle>
        ) : (
          <h2 id="live-calls">{title}</h2>
        )}
        {shown.waiting > 0 ? (
          <Button size="compact-sm" variant="default" onClick={() => order.apply(Date.now())}>
            {words.t('calls.changes', { n: shown.waiting })}
          </Button>
        ) : null}
      </div>
      {loaded ? null : <Waiting />}
      {loaded && calls.size === 0 ? <p className="empty">{words.t('calls.empty')}</p> : null}
      {shown.ids.length > 0 ? (
        <div
          className="grid"
          role="grid"
          aria-labelledby="live-calls"
          onKeyDown={keys}
          ref={grid}
          onPointerEnter={() => hold({ pointer: true })}
          onPointerLeave={() => hold({ pointer: false })}
          onFocus={(event) => {
            hold({ focus: true })
            const row = event.target.closest<HTMLElement>('[data-call]')
            setAt(row?.dataset['call'] ?? null)
          }}
          onBlur={(event) => {
            if (!event.currentTarget.contains(event.relatedTarget)) hold({ focus: false })
          }}
        >
          <Head />
          <div role="rowgroup">
            {shown.ids.map((id) => {
              const seen = calls.get(id)
              return seen ? (
                <CallRow key={id} seen={seen} raised={shown.raised.has(id)} first={id === first} />
              ) : null
            })}
          </div>
        </div>
      ) : null}
    </section>
  )
}

function Head() {
  const words = useWords()
  const columns = ['why', 'agent', 'caller', 'state', 'duration', 'talk', 'act'] as const
  return (
    <div role="rowgroup" className="grid-head">
      <div role="row" className="row">
        {columns.map((column) => (
          <span key={column} role="columnheader" className={`cell cell-${column}`}>
            {column === 'agent' || column === 'caller'
              ? words.head(column === 'agent' ? 'agent' : 'customer')
              : words.t(`calls.col.${column}`)}
          </span>
        ))}
      </div>
    </div>
  )
}

/** From the row to its buttons and back, without a tab stop each. */
function along(row: HTMLElement | null, from: HTMLElement, by: 1 | -1): void {
  if (!row) return
  const stops = [row, ...row.querySelectorAll<HTMLElement>('button, a')]
  const rtl = document.documentElement.dir === 'rtl' ? -1 : 1
  stops[Math.max(0, stops.indexOf(from)) + by * rtl]?.focus()
}

function useCalmOrder(): Order {
  const { board, ticker, clock, whys } = useApp()
  const order = useMemo(() => new Order(), [])
  useEffect(() => {
    const look = () => order.rows(whys.look(clock.now()), Date.now())
    look()
    const [told, tick] = [board.watch(look), ticker.watch(look)]
    return () => (told(), tick())
  }, [board, ticker, clock, whys, order])
  return order
}

/** Nothing for the first 300 ms: what comes at once needs no skeleton. */
export function Waiting() {
  const [late, setLate] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 300)
    return () => clearTimeout(timer)
  }, [])
  if (!late) return null
  return (
    <div className="waiting" aria-hidden>
      {[1, 2, 3, 4].map((n) => (
        <Skeleton key={n} height={28} radius="sm" mb={8} />
      ))}
    </div>
  )
}
