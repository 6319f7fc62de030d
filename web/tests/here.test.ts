import { expect, test, vi } from 'vitest'
import { CallsHere } from '../src/state/here'

function page(from: Record<string, string> = {}) {
  const map = new Map(Object.entries(from))
  const kept = {
    getItem: (key: string) => map.get(key) ?? null,
    setItem: (key: string, value: string) => void map.set(key, value),
    removeItem: (key: string) => void map.delete(key),
  }
  const phone = {
    ready: vi.fn(async (_here?: boolean) => {}),
    prepare: vi.fn(async () => {}),
    close: vi.fn(async () => {}),
  }
  const answering = { takeCallsHere: vi.fn(async () => {}) }
  return {
    here: new CallsHere(phone, answering, kept),
    phone,
    answering,
    all: () => Object.fromEntries(map),
  }
}

test('calls that ring here ring here after a reload, and elsewhere nobody is asked', async () => {
  const first = page()
  await first.here.restore()
  expect(first.phone.ready).not.toHaveBeenCalled()
  await first.here.take()
  expect(first.answering.takeCallsHere).toHaveBeenCalled()
  const again = page(first.all())
  await again.here.restore()
  expect(again.phone.ready).toHaveBeenCalledWith(false)
  expect(again.phone.prepare).toHaveBeenCalled()
})

test('given up they do not come back, nor for whoever signs in next', async () => {
  const one = page()
  await one.here.take()
  await one.here.stop()
  expect([one.phone.close.mock.calls.length, one.all()]).toEqual([1, {}])
  await one.here.take()
  one.here.forget()
  expect(one.all()).toEqual({})
})

test('from another page the telephone is taken on purpose alone', async () => {
  const one = page()
  one.phone.ready.mockRejectedValueOnce(new Error('no way through'))
  await one.here.take(true)
  expect(one.phone.ready).toHaveBeenCalledWith(true)
})
