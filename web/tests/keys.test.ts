import { describe, expect, test } from 'vitest'
import { choosable, DEFAULTS, keyName, keyOf, Keys, taken, type Keymap } from '../src/state/keys'

describe('keys', () => {
  test('mean nothing while one types or holds Ctrl', () => {
    const keys = new Keys()
    expect(keys.read({ key: 'w', typing: true }, 0)).toBeNull()
    expect(keys.read({ key: 'w', ctrlKey: true }, 0)).toBeNull()
    expect(keys.held({ key: ' ', typing: true })).toBeNull()
    expect(keys.agent({ key: 'a', code: 'KeyA', altKey: true, typing: true })).toBeNull()
    expect(keys.read({ key: 'w' }, 0)).toEqual({ do: 'mode', mode: 'whisper' })
  })

  test('g and then w goes to the wallboard, g alone is soon forgotten', () => {
    const keys = new Keys()
    keys.read({ key: 'g' }, 0)
    expect(keys.read({ key: 'w' }, 500)).toEqual({ do: 'go', page: 'wallboard' })
    keys.read({ key: 'g' }, 1_000)
    expect(keys.read({ key: 'w' }, 9_000)).toEqual({ do: 'mode', mode: 'whisper' })
  })

  test('each as delivered does what the list says', () => {
    const keys = new Keys()
    expect(keys.read({ key: 'T', shiftKey: true }, 0)).toEqual({ do: 'takeover' })
    expect(keys.read({ key: 'm' }, 0)).toEqual({ do: 'mute' })
    expect(keys.read({ key: '[' }, 0)).toEqual({ do: 'volume', by: -0.1 })
    expect(keys.read({ key: '?', shiftKey: true }, 0)).toEqual({ do: 'help' })
    expect(keys.held({ key: ' ' })).toBe('talk')
    expect(keys.held({ key: 'w' })).toBe('aside')
    const agent = (key: string, code: string) => keys.agent({ key, code, altKey: true })
    // On a Mac the letter with Alt is another one: the key's place counts.
    expect(agent('å', 'KeyA')).toBe('answer')
    expect(agent('?', 'Slash')).toBe('hand')
    expect(['KeyD', 'KeyH', 'KeyM', 'KeyE'].map((code) => agent('x', code))).toEqual([
      'decline',
      'hold',
      'silence',
      'end',
    ])
  })

  test('may be others, or none, or all off; Esc and the arrows stay', () => {
    let wanted: { on: boolean; map: Keymap } = { on: true, map: { mute: 'x', whisper: '' } }
    const keys = new Keys(() => wanted)
    expect(keys.read({ key: 'x' }, 0)).toEqual({ do: 'mute' })
    expect(keys.read({ key: 'm' }, 0)).toBeNull()
    expect(keys.read({ key: 'w' }, 0)).toBeNull()
    wanted = { on: false, map: {} }
    expect(keys.read({ key: 'm' }, 0)).toBeNull()
    expect(keys.held({ key: ' ' })).toBeNull()
    expect(keys.read({ key: 'Escape' }, 0)).toEqual({ do: 'escape' })
    expect(keys.read({ key: 'ArrowDown' }, 0)).toEqual({ do: 'next' })
  })

  test('no two that are listened to at once have the same key', () => {
    for (const act of Object.keys(DEFAULTS) as (keyof typeof DEFAULTS)[]) {
      expect(taken({}, act, keyOf({}, act) ?? ''), act).toBeNull()
    }
    expect(taken({}, 'mute', '[')).toBe('quieter')
    expect(taken({}, 'mute', '/')).toBe('find')
    expect(taken({}, 'mute', 'Alt+H')).toBeNull()
    expect(taken({ find: '' }, 'mute', '/')).toBeNull()
  })

  test('have names, and what moves the focus cannot be chosen', () => {
    expect(keyName({ key: 'T', shiftKey: true })).toBe('Shift+T')
    expect(keyName({ key: 'T' })).toBe('t') // CapsLock
    expect(keyName({ key: 'Shift', shiftKey: true })).toBeNull()
    expect(['Tab', 'Escape', 'ArrowUp'].map((key) => choosable({ key }))).toEqual([
      null,
      null,
      null,
    ])
    expect(choosable({ key: 'F2' })).toBe('F2')
  })
})
