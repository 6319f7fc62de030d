// Calls and people as the server writes them, for tests of the state.
import type { Agent, Call, Moment, Supervision } from '../src/api/types'

export const T0 = Date.parse('2026-11-21T09:00:00.000Z')
export const at = (seconds: number) => new Date(T0 + seconds * 1_000).toISOString()
export const moment = (seconds: number, what: string, who = '', detail = ''): Moment => ({
  at: at(seconds),
  what,
  who,
  detail,
})

export function call(id: string, change: Partial<Call> = {}): Call {
  return {
    id,
    direction: 'inbound',
    state: 'talking',
    queue: null,
    campaign: null,
    started_at: at(0),
    answered_at: at(1),
    ended_at: null,
    end_reason: null,
    parties: [
      party('p1', 'customer', 'Jane Doe', 'external'),
      party('p2', 'agent', 'Ana Ruiz', 'internal'),
    ],
    supervisions: [],
    timing: {
      duration_ms: 10_000,
      queue_ms: 0,
      ring_ms: 1_000,
      talk_ms: 9_000,
      hold_ms: 0,
      whisper_ms: 0,
      listen_ms: 0,
      barge_ms: 0,
      takeover_ms: 0,
      other_ms: 0,
    },
    timeline: [moment(0, 'started'), moment(1, 'answered')],
    attention: [],
    ...change,
  }
}

export const party = (id: string, role: string, name: string, net: string) => ({
  id,
  role,
  name,
  number: `+1555${id}`,
  net,
  held: false,
  muted: false,
  connected: true,
  listening_only: false,
  quiet: false,
  unattended: false,
  person_id: role === 'agent' ? name : null,
  hears: [] as string[],
})

export function supervision(change: Partial<Supervision> = {}): Supervision {
  return {
    id: 's1',
    call_id: 'c1',
    state: 'live',
    version: 1,
    supervisor: { id: 'mia', name: 'Mia Wong' },
    party_id: 'p3',
    leg: { kind: 'sip' },
    mode: 'listen',
    targets: [],
    muted: false,
    alert: false,
    follow: 'call',
    extent: 'this_call',
    reason: '',
    started_at: at(5),
    ended_at: null,
    spans: [{ mode: 'listen', from: at(5), to: null }],
    end_reason: null,
    policy: {},
    guard_ms: 0,
    fell_because: null,
    ...change,
  } as Supervision
}

export const agent = (id: string, state = 'on_call', since = 0): Agent => ({
  id,
  name: id,
  extension: '1001',
  state,
  since: at(since),
  call_id: null,
})
