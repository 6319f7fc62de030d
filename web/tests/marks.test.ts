import { expect, test, vi } from 'vitest'
import { Refused } from '../src/api/client'
import type { Mark } from '../src/api/types'
import { Marks } from '../src/state/marks'
import { CLOSED, type Panel } from '../src/state/panel'
import { Store } from '../src/state/store'
import { at, supervision } from './fixtures'

function stage() {
  const panel = new Store<Panel>({ ...CLOSED, phase: 'live', supervision: supervision() })
  const api = {
    mark: vi.fn(async (_: string, kind: Mark['kind'], text: string | null): Promise<Mark> => ({
      at: at(7),
      kind,
      text,
    })),
  }
  return { api, panel, marks: new Marks(api, panel) }
}

test('a mark goes to the running supervision, and is said when the server has it', async () => {
  const { api, marks } = stage()
  expect(await marks.add('note', '  asks twice ')).toBe(true)
  expect(api.mark).toHaveBeenCalledWith('s1', 'note', 'asks twice')
  expect(marks.get().last?.kind).toBe('note')
  expect(await marks.add('bookmark')).toBe(true)
  expect(api.mark).toHaveBeenLastCalledWith('s1', 'bookmark', null)
})

test('an empty note is none, and without a supervision there is nothing to mark', async () => {
  const { api, marks, panel } = stage()
  expect(await marks.add('note', '  ')).toBe(false)
  panel.set(CLOSED)
  expect(await marks.add('flag')).toBe(false)
  expect(api.mark).not.toHaveBeenCalled()
})

test('a refusal is said, and nothing of one call is said of the next', async () => {
  const { api, marks, panel } = stage()
  api.mark.mockRejectedValueOnce(new Refused(0, 'unreachable', [], ''))
  expect(await marks.add('flag')).toBe(false)
  expect(marks.get().problem?.code).toBe('unreachable')
  let answer: (mark: Mark) => void = () => {}
  api.mark.mockReturnValueOnce(new Promise<Mark>((done) => (answer = done)))
  const adding = marks.add('flag')
  panel.set({ ...CLOSED, phase: 'live', supervision: supervision({ id: 's2' }) })
  answer({ at: at(8), kind: 'flag' })
  await adding
  expect(marks.get()).toEqual({ last: null, problem: null })
})
