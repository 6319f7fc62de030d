// The telephone's keys in the console: by pointer, or typed while the focus is in here.
import type { KeyboardEvent } from 'react'
import type { Call, Supervision } from '../../api/types'
import { KEYS, isKey, keypadOff } from '../../state/keypad'
import { useApp, useStore, useWords } from '../use'

const SPOKEN = { '*': 'keypad.star', '#': 'keypad.hash' } as const

export function Keypad({ call, mine }: { call: Call; mine: Supervision }) {
  const { keypad } = useApp()
  const words = useWords()
  const { supervision, keys, failed } = useStore(keypad)
  const off = keypadOff(call, mine)
  const typed = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !isKey(event.key)) return
    event.preventDefault()
    event.stopPropagation()
    keypad.press(event.key)
  }
  const said = off
    ? words.t(`keypad.off_${off}`)
    : failed
      ? words.t('keypad.off_no_path')
      : supervision === mine.id
        ? keys
        : ''
  return (
    <div className="keypad" role="group" aria-label={words.t('keypad.title')} onKeyDown={typed}>
      <div className="keypad-keys">
        {KEYS.map((key) => (
          <button
            key={key}
            type="button"
            className="plain-button"
            aria-label={key === '*' || key === '#' ? words.t(SPOKEN[key]) : key}
            aria-disabled={off !== null}
            onClick={() => keypad.press(key)}
          >
            {key}
          </button>
        ))}
      </div>
      <p className="keypad-said digits" role="status" dir={off || failed ? undefined : 'ltr'}>
        {said}
      </p>
    </div>
  )
}
