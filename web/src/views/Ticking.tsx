// A text that counts: written into the page by the one shared tick, and never by drawing a view again, so that
// some hundreds of them cost next to nothing.
import { useLayoutEffect, useRef } from 'react'
import { clockText } from '../state/time'
import { useApp } from './use'

interface TickingProps {
  /** At an instant of the server's clock. */
  text: (now_ms: number) => string
  /** Digits are not read out each second; a sentence with a number in it may be read. */
  spoken?: boolean
  /** The instant that it counts from, as it is written. */
  title?: string
}

export function Ticking({ text, spoken = false, title }: TickingProps) {
  const { ticker, clock } = useApp()
  const place = useRef<HTMLSpanElement>(null)
  const latest = useRef(text)
  const write = useRef(() => {
    const said = latest.current(clock.now())
    if (place.current && place.current.textContent !== said) place.current.textContent = said
  })
  useLayoutEffect(() => {
    latest.current = text
    write.current()
  })
  useLayoutEffect(() => ticker.watch(write.current), [ticker])
  return (
    <span
      ref={place}
      className="digits"
      title={title}
      {...(spoken ? {} : { 'aria-hidden': true })}
    />
  )
}

/** How long it is since then. */
export function Since({ at }: { at: string }) {
  const from_ms = Date.parse(at)
  return <Ticking title={at} text={(now) => clockText(now - from_ms)} />
}
