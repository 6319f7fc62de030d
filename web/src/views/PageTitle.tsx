// The heading of a page: names the tab, and takes the focus when the page is come to from another.
import { useEffect, useRef, type ReactNode } from 'react'
import { useApp } from './use'

interface PageTitleProps {
  children: ReactNode
  /** What the tab is called, where it is not what the heading says. */
  name?: string
  id?: string
  className?: string
}

export function PageTitle({ children, name, id, className }: PageTitleProps) {
  const { page } = useApp()
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    page.set(name ?? heading.current?.textContent ?? '')
  })
  useEffect(() => {
    if (page.opens()) heading.current?.focus({ preventScroll: true })
  }, [page])
  return (
    <h1 ref={heading} tabIndex={-1} id={id} className={className}>
      {children}
    </h1>
  )
}
