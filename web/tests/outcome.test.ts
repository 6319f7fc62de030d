import { expect, test, vi } from 'vitest'
import { Refused } from '../src/api/client'
import type { Outcome } from '../src/api/types'
import { OutcomeForm, tookOver } from '../src/state/outcome'
import { at, call, supervision } from './fixtures'

const kept = (change: Partial<Outcome> = {}): Outcome => ({
  disposition: null,
  reason: null,
  resolved: null,
  set_at: at(60),
  ...change,
})

test('only what was said is sent, and what was said before and is empty now is taken back', async () => {
  const api = { outcome: vi.fn(async () => kept({ disposition: 'sale', resolved: true })) }
  const form = new OutcomeForm(api, call('c1', { outcome: kept({ reason: 'late parcel' }) }))
  form.say({ disposition: ' sale ', resolved: true })
  form.say({ reason: '' })
  await form.keep()
  expect(api.outcome).toHaveBeenCalledWith('c1', {
    disposition: 'sale',
    reason: null,
    resolved: true,
  })
  expect(form.get().state).toBe('kept')
  form.say({ disposition: 'sale', resolved: false })
  await form.keep()
  expect(api.outcome).toHaveBeenLastCalledWith('c1', { resolved: false })
})

test('with nothing new nothing is asked, and it is kept', async () => {
  const api = { outcome: vi.fn(async () => kept()) }
  const form = new OutcomeForm(api, call('c1'))
  await form.keep()
  expect(api.outcome).not.toHaveBeenCalled()
  expect(form.get().state).toBe('kept')
})

test('a refusal keeps what was typed, and the next try sends it again', async () => {
  const api = { outcome: vi.fn(async () => kept({ disposition: 'refund' })) }
  api.outcome.mockRejectedValueOnce(new Refused(403, 'not_allowed', ['not_allowed'], ''))
  const form = new OutcomeForm(api, call('c1'))
  form.say({ disposition: 'refund' })
  await form.keep()
  expect(form.get()).toMatchObject({
    disposition: 'refund',
    state: 'open',
    problem: { code: 'not_allowed' },
  })
  await form.keep()
  expect(api.outcome).toHaveBeenCalledTimes(2)
  expect(form.get()).toMatchObject({ state: 'kept', problem: null })
})

test('what is typed while it is being kept is not said to be kept', async () => {
  let answer: (outcome: Outcome) => void = () => {}
  const api = { outcome: vi.fn(() => new Promise<Outcome>((done) => (answer = done))) }
  const form = new OutcomeForm(api, call('c1'))
  form.say({ disposition: 'sale' })
  const keeping = form.keep()
  form.say({ resolved: true })
  answer(kept({ disposition: 'sale' }))
  await keeping
  expect(form.get().state).toBe('open')
  void form.keep()
  expect(api.outcome).toHaveBeenLastCalledWith('c1', { resolved: true })
})

test('whoever took the call over wraps it up, after a hand-back too', () => {
  const spans = [
    { mode: 'takeover' as const, from: at(1), to: at(2) },
    { mode: 'listen' as const, from: at(2), to: null },
  ]
  expect(tookOver(supervision({ spans }))).toBe(true)
  expect(tookOver(supervision({ mode: 'barge' }))).toBe(false)
})
