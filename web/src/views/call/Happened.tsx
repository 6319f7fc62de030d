// What happened on a call, moment by moment, in words: the codes of the server are words of the catalogue,
// and parties have their names.
import { Table } from '@mantine/core'
import { MODES, type Call, type Moment } from '../../api/types'
import { shownName } from '../../state/people'
import type { Catalogue, MessageId } from '../../words/catalogue'
import { sayReason } from '../say'
import { useWords } from '../use'
import { timeOfDay } from './times'

export function Happened({ call }: { call: Call }) {
  const words = useWords()
  return (
    <section>
      <h2>{words.t('call.timeline')}</h2>
      <div className="scroll" tabIndex={0} role="region" aria-label={words.t('call.timeline')}>
        <Table>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{words.t('call.when')}</Table.Th>
              <Table.Th>{words.t('call.who')}</Table.Th>
              <Table.Th>{words.t('call.what')}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {call.timeline.map((moment, n) => (
              <Table.Tr key={`${moment.at}${n}`}>
                <Table.Td className="digits">
                  <time dateTime={moment.at} title={moment.at}>
                    {timeOfDay(words, moment.at)}
                  </time>
                </Table.Td>
                <Table.Td>{moment.who}</Table.Td>
                <Table.Td>{sayMoment(words, call, moment)}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </div>
    </section>
  )
}

function sayMoment(words: Catalogue, call: Call, { what, detail }: Moment): string {
  const id = `what.${what}`
  const said = words.has(id) ? words.t(id as MessageId) : what.replaceAll('_', ' ')
  return [said, sayDetail(words, call, what, detail)].filter((part) => part !== '').join(' ')
}

/** Of these the detail is the party it was done to. */
const TO_PARTY = ['held', 'resumed']
/** Of these it is a number that says nothing to people. */
const SILENT = ['moved', 'leg_replaced', 'joined_by_merge']

/** A mode, a party, a reason, what was asked for or answered; what is none of these stands as it is. */
function sayDetail(words: Catalogue, call: Call, what: string, detail: string): string {
  if (SILENT.includes(what)) return ''
  const mode = MODES.find((one) => one === detail)
  if (mode) return words.term(mode)
  const party = TO_PARTY.includes(what) && call.parties.find((one) => one.id === `p${detail}`)
  if (party) return words.t('what.whom', { name: shownName(party) })
  for (const kind of ['reason', 'help', 'reply', 'detail']) {
    const id = `${kind}.${detail}`
    if (words.has(id))
      return kind === 'reason' ? `(${sayReason(words, detail)})` : `(${words.t(id)})`
  }
  return detail
}
