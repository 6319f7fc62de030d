import { describe, expect, test, vi } from 'vitest'
import { Refused } from '../src/api/client'
import { PasswordChange, unfit } from '../src/state/password'

const GOOD = { old: 'the old sentence', fresh: 'a new sentence', again: 'a new sentence' }

describe('a change of password', () => {
  test('what is known wrong is said before anything is sent', async () => {
    const changePassword = vi.fn(async () => null)
    const change = new PasswordChange({ changePassword })
    await change.ask({ ...GOOD, again: 'another sentence' })
    expect(change.get()).toMatchObject({ phase: 'idle', unfit: 'not_the_same' })
    expect(changePassword).not.toHaveBeenCalled()
    expect(unfit({ ...GOOD, fresh: 'short', again: 'short' })).toBe('too_short')
    expect(unfit({ ...GOOD, fresh: 'x'.repeat(201), again: '' })).toBe('too_long')
    expect(unfit({ old: 'the same one', fresh: 'the same one', again: 'the same one' })).toBe(
      'as_before',
    )
    expect(unfit({ ...GOOD, fresh: '🎧🎧🎧🎧🎧', again: '🎧🎧🎧🎧🎧' })).toBe('too_short')
  })

  test('is sent once, and done when the server says so', async () => {
    let answer = () => {}
    const changePassword = vi.fn(() => new Promise<null>((done) => (answer = () => done(null))))
    const change = new PasswordChange({ changePassword })
    const asking = change.ask(GOOD)
    await change.ask(GOOD)
    expect(change.get().phase).toBe('asking')
    answer()
    await asking
    expect(change.get().phase).toBe('done')
    expect(changePassword).toHaveBeenCalledTimes(1)
  })

  test('a refusal is kept, and one may try again', async () => {
    const changePassword = vi.fn(async () => null)
    changePassword.mockRejectedValueOnce(new Refused(401, 'bad_sign_in', [], ''))
    const change = new PasswordChange({ changePassword })
    await change.ask(GOOD)
    expect(change.get()).toMatchObject({ phase: 'idle', problem: { code: 'bad_sign_in' } })
    await change.ask(GOOD)
    expect(change.get()).toMatchObject({ phase: 'done', problem: null })
  })
})
