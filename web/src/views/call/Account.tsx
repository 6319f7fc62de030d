// The call as a picture and as a table: a band for each party and each supervisor, notices with their
// times, and in words who heard whom. The table has all that the picture has, for keyboard and ear.
import { Table } from '@mantine/core'
import './account.css'
import type { Call, Heard } from '../../api/types'
import {
  bands,
  beginOf,
  endOf,
  intervals,
  notices,
  place,
  type Band,
  type Interval,
  type Kind,
  type Notice,
  type Piece,
} from '../../state/account'
import { clockText } from '../../state/time'
import type { Catalogue, MessageId } from '../../words/catalogue'
import { useNow, useWords } from '../use'
import { listed, timeOfDay } from './times'

interface Props {
  call: Call
  /** Null: not known, so nothing is claimed. */
  heard: Heard[] | null
}

const MODES = ['listen', 'whisper', 'barge', 'takeover'] as const
const isMode = (kind: Kind): kind is (typeof MODES)[number] =>
  (MODES as readonly string[]).includes(kind)

const sayKind = (words: Catalogue, kind: Kind): string =>
  isMode(kind) ? words.term(kind) : words.t(`band.${kind}`)

export function Account({ call, heard }: Props) {
  const words = useWords()
  const now = useNow()
  const all = bands(call, heard ?? [], now)
  const told = notices(call)
  const parts = intervals(call, heard ?? [], now)
  return (
    <>
      {all.length > 0 ? (
        <section>
          <h2>{words.t('band.title')}</h2>
          <div className="bands">
            {all.map((band) => (
              <BandRow key={band.id} call={call} band={band} now={now} />
            ))}
            {told.length > 0 ? <Notices call={call} told={told} now={now} /> : null}
            <Scale call={call} now={now} />
          </div>
          <Legend all={all} />
        </section>
      ) : null}
      {parts.length > 0 ? <WhoHeardWhom parts={parts} /> : null}
    </>
  )
}

function at(call: Call, piece: Piece, now: number) {
  const from = place(call, piece.from_ms, now)
  const width = Math.max(0.004, place(call, piece.to_ms, now) - from)
  return { insetInlineStart: `${from * 100}%`, inlineSize: `${width * 100}%` }
}

function BandRow({ call, band, now }: { call: Call; band: Band; now: number }) {
  const words = useWords()
  const said = (piece: Piece) =>
    words.t('band.piece', {
      what: sayKind(words, piece.kind),
      from: timeOfDay(words, piece.from_ms),
      to: timeOfDay(words, piece.to_ms),
    })
  const whole = words.t('band.of', { name: band.name, pieces: band.pieces.map(said).join('; ') })
  return (
    <div className="band">
      <span className="band-name">{band.name}</span>
      <div className="band-line" role="img" aria-label={whole}>
        {band.pieces.map((piece) => (
          <span
            key={piece.from_ms}
            className={`piece piece-${piece.kind}`}
            style={at(call, piece, now)}
            title={said(piece)}
          >
            <span className="piece-word">{sayKind(words, piece.kind)}</span>
          </span>
        ))}
      </div>
    </div>
  )
}

function Notices({ call, told, now }: { call: Call; told: Notice[]; now: number }) {
  const words = useWords()
  const said = (one: Notice) =>
    words.t('band.notice', {
      what: words.t(`what.${one.what}` as MessageId),
      who: one.who,
      time: timeOfDay(words, one.at_ms),
    })
  return (
    <div className="band">
      <span className="band-name">{words.t('band.notices')}</span>
      <div className="band-line band-thin" role="img" aria-label={told.map(said).join('; ')}>
        {told.map((one, n) => (
          <span
            key={n}
            className="notice"
            style={{ insetInlineStart: `${place(call, one.at_ms, now) * 100}%` }}
            title={said(one)}
          />
        ))}
      </div>
    </div>
  )
}

/** Four marks, from the begin of the call. */
function Scale({ call, now }: { call: Call; now: number }) {
  const length = endOf(call, now) - beginOf(call)
  return (
    <div className="band" aria-hidden>
      <span className="band-name" />
      <div className="band-line band-scale">
        {[0, 0.25, 0.5, 0.75, 1].map((share) => (
          <span
            key={share}
            className={`mark${share === 1 ? ' mark-last' : ''}`}
            style={share === 1 ? {} : { insetInlineStart: `${share * 100}%` }}
          >
            {clockText(length * share)}
          </span>
        ))}
      </div>
    </div>
  )
}

function Legend({ all }: { all: Band[] }) {
  const words = useWords()
  const kinds = [...new Set(all.flatMap((band) => band.pieces.map((piece) => piece.kind)))]
  return (
    <ul className="legend" aria-label={words.t('band.legend')}>
      {kinds.map((kind) => (
        <li key={kind}>
          <span className={`piece swatch piece-${kind}`} aria-hidden /> {sayKind(words, kind)}
        </li>
      ))}
    </ul>
  )
}

function WhoHeardWhom({ parts }: { parts: Interval[] }) {
  const words = useWords()
  const sentence = ({ ears }: Interval) =>
    ears.length === 0
      ? words.t('heard.nobody')
      : ears
          .map(({ name, hears }) => words.t('heard.one', { name, names: listed(words, hears) }))
          .join('; ')
  return (
    <section>
      <h2>{words.t('heard.title')}</h2>
      <p className="facts">{words.t('heard.rule')}</p>
      <div className="scroll" tabIndex={0} role="region" aria-label={words.t('heard.title')}>
        <Table>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{words.t('heard.from')}</Table.Th>
              <Table.Th>{words.t('heard.to')}</Table.Th>
              <Table.Th>{words.t('heard.length')}</Table.Th>
              <Table.Th>{words.t('heard.who')}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {parts.map((part) => (
              <Table.Tr key={part.from_ms}>
                {[part.from_ms, part.to_ms].map((ms, n) => (
                  <Table.Td key={n} className="digits">
                    <time dateTime={iso(ms)} title={iso(ms)}>
                      {timeOfDay(words, ms)}
                    </time>
                  </Table.Td>
                ))}
                <Table.Td className="digits">{clockText(part.to_ms - part.from_ms)}</Table.Td>
                <Table.Td>{sentence(part)}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </div>
    </section>
  )
}

const iso = (ms: number) => new Date(ms).toISOString()
