// What of the sound or of the page's connection is broken, in sentences, and that it is mended.
import { IconAlertTriangle, IconCircleCheck } from '@tabler/icons-react'
import type { Trouble } from '../../state/line'
import { clockText } from '../../state/time'
import { Digits } from '../../ui/State'
import { sayReason } from '../say'
import { useApp, useStore, useWords } from '../use'

export function Lines() {
  const { line, panel } = useApp()
  const words = useWords()
  const { troubles, mended } = useStore(line)
  return (
    <div className="lines" role="status" aria-live="assertive">
      {troubles.map((one) => (
        <p key={one.code} className="trouble">
          <IconAlertTriangle size={18} aria-hidden />
          <span>
            <Said trouble={one} />
          </span>
          {one.code === 'fell' ? (
            <button type="button" className="plain-button" onClick={() => panel.fellSeen()}>
              {words.t('panel.dismiss')}
            </button>
          ) : null}
        </p>
      ))}
      {mended && mended !== 'fell' ? (
        <p className="mended">
          <IconCircleCheck size={18} aria-hidden />
          {words.t(`line.mended_${mended}`)}
        </p>
      ) : null}
    </div>
  )
}

function Said({ trouble }: { trouble: Trouble }) {
  const words = useWords()
  const { code, mode } = trouble
  switch (code) {
    case 'page': {
      const desk = trouble.on === 'sip'
      return (
        <>
          {words.t(desk ? 'line.page_desk' : 'line.page', { mode })}{' '}
          <Digits>{clockText(trouble.ms)}</Digits>
        </>
      )
    }
    case 'leg':
      return words.t('line.leg', { mode })
    case 'sound':
      return words.t('line.sound', { mode })
    case 'fell': {
      const why = sayReason(words, trouble.because)
      return words.t('line.fell', { MODE: words.term(mode), why })
    }
  }
}
