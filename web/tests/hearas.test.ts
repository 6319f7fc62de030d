import { expect, test, vi } from 'vitest'
import { Refused } from '../src/api/client'
import { HearAs } from '../src/state/hearas'
import { CLOSED, type Panel } from '../src/state/panel'
import { Store } from '../src/state/store'
import { supervision } from './fixtures'

function ears() {
  const live: Panel = { ...CLOSED, phase: 'live', callId: 'c1', supervision: supervision() }
  const panel = new Store(live)
  const ends: (() => void)[] = []
  const play = vi.fn(() => new Promise<void>((resolve) => void ends.push(resolve)))
  const ear = vi.fn(async (_call: string, _party: string, _signal: AbortSignal) => ({}))
  const deafen = vi.fn()
  const one = new HearAs({ api: { ear } as never, panel, player: { play }, deafen })
  const settle = () => new Promise((resolve) => setTimeout(resolve, 0))
  return { one, panel, ear, play, deafen, ends, settle }
}

test('one hears as somebody else and nothing of one’s own, until one wants one’s own ears', async () => {
  const { one, ear, play, deafen, settle } = ears()
  void one.choose('p1')
  await settle()
  expect(one.get().party).toBe('p1')
  expect([ear.mock.calls[0]?.slice(0, 2), play.mock.calls.length]).toEqual([['c1', 'p1'], 1])
  expect(deafen.mock.calls).toEqual([[true]])
  one.own()
  expect(ear.mock.calls[0]?.[2].aborted).toBe(true)
  expect([one.get().party, deafen.mock.lastCall]).toEqual([null, [false]])
})

test('of two ears only the later sounds', async () => {
  const { one, ear, settle, ends } = ears()
  void one.choose('p1')
  await settle()
  void one.choose('p2')
  await settle()
  expect(ear.mock.calls.map(([, , signal]) => signal.aborted)).toEqual([true, false])
  ends[0]?.() // the first one's sound ends late
  await settle()
  expect(one.get().party).toBe('p2')
})

test('whatever ends it, one has one’s own ears again', async () => {
  const gone = ears()
  void gone.one.choose('p1')
  await gone.settle()
  gone.ends[0]?.()
  await gone.settle()
  const left = ears()
  void left.one.choose('p1')
  await left.settle()
  left.panel.set(CLOSED)
  const moved = ears()
  void moved.one.choose('p1')
  await moved.settle()
  moved.panel.update((p) => ({ ...p, supervision: supervision({ id: 's2' }) }))
  const refused = ears()
  refused.ear.mockRejectedValueOnce(new Refused(404, 'no_such_ear', [], ''))
  await refused.one.choose('p1')
  for (const { one, deafen } of [gone, left, moved, refused])
    expect([one.get().party, deafen.mock.lastCall]).toEqual([null, [false]])
  expect(refused.one.get().problem?.code).toBe('no_such_ear')
})
