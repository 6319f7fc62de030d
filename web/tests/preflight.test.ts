import { describe, expect, test } from 'vitest'
import { preflight, Preflights, type Facts } from '../src/state/preflight'

const GOOD: Facts = {
  secure: true,
  permission: 'granted',
  kinds: ['audioinput', 'audiooutput'],
  connected: true,
}

describe('whether one could be called here', () => {
  test('is good where all is, and names what keeps the microphone away', () => {
    expect(preflight(GOOD)).toEqual({
      microphone: 'good',
      speaker: 'good',
      network: 'good',
      because: null,
    })
    expect(preflight({ ...GOOD, permission: 'prompt' })).toMatchObject({ microphone: 'ask' })
    expect(preflight({ ...GOOD, secure: false, permission: 'denied' }).because).toBe('insecure')
    expect(preflight({ ...GOOD, permission: 'denied' }).because).toBe('denied')
    expect(preflight({ ...GOOD, kinds: ['audiooutput'] }).because).toBe('missing')
    expect(preflight({ ...GOOD, connected: false })).toMatchObject({ network: 'bad' })
  })

  test('claims nothing of what the browser does not tell', () => {
    expect(preflight({ ...GOOD, permission: null, kinds: null })).toMatchObject({
      microphone: 'ask',
      speaker: 'unknown',
      because: null,
    })
  })

  test('is what the later look saw, whichever answered first', async () => {
    const answers: ((facts: Facts) => void)[] = []
    const looks = new Preflights(() => new Promise((resolve) => answers.push(resolve)))
    const both = [looks.look(), looks.look()]
    answers[1]?.(GOOD)
    answers[0]?.({ ...GOOD, connected: false })
    await Promise.all(both)
    expect(looks.get().network).toBe('good')
  })
})
