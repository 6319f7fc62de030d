/**
 * The token of the link that lets the first administrator in. It stands behind `#`, which a browser
 * sends to nobody: no proxy's log has it. Taken out of the address as it is read, so that neither
 * the history nor who looks over a shoulder has it either; a reload needs the link again.
 */
const NAME = 'first'

export const takeFirstToken = (
  at: Pick<Location, 'hash' | 'pathname' | 'search'>,
  past: Pick<History, 'replaceState' | 'state'>,
): string | null => {
  const token = new URLSearchParams(at.hash.slice(1)).get(NAME)
  if (token) past.replaceState(past.state, '', at.pathname + at.search)
  return token
}

let taken: string | null | undefined

/** Of this page, as often as it is asked. */
export const firstToken = (): string | null => (taken ??= takeFirstToken(location, history))

/** It works once. */
export const forgetFirstToken = (): void => {
  taken = null
}
