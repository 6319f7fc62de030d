// The way to a call's page, of which a board has hundreds: an anchor whose address is known, without what the router's
// own links work out each time they are drawn.
import { useRouter } from '@tanstack/react-router'
import type { MouseEvent, ReactNode } from 'react'

interface CallLinkProps {
  callId: string
  children: ReactNode
  label?: string
  className?: string
  tabIndex?: number
}

export function CallLink({ callId, children, label, className, tabIndex }: CallLinkProps) {
  const router = useRouter()
  const go = (event: MouseEvent) => {
    // Another tab, or a file, is the browser's.
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || event.button !== 0)
      return
    event.preventDefault()
    void router.navigate({ to: '/calls/$callId', params: { callId } })
  }
  return (
    <a
      href={`/calls/${encodeURIComponent(callId)}`}
      className={className}
      tabIndex={tabIndex}
      aria-label={label}
      onClick={go}
    >
      {children}
    </a>
  )
}
