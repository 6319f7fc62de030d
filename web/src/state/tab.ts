// The name of this page: the same over a reload, and no other page's. A tab that is copied begins with a copy
// of its storage, and two pages of one name would take the telephone from each other for ever.
const TAB = 'undertone.tab'
/** A page that is loaded again waits so long for the one that it was; a copy would wait for ever. */
const RELOAD_MS = 1_500

type Kept = Pick<Storage, 'getItem' | 'setItem'>
type Locks = Pick<LockManager, 'request'>

/** True if this page is a copy: then what its storage says of a session is another page's. */
export async function nameThisPage(kept: Kept, locks: Locks | undefined): Promise<boolean> {
  const known = kept.getItem(TAB)
  if (!locks || (known && (await hold(locks, known)))) return false
  const fresh = crypto.randomUUID()
  kept.setItem(TAB, fresh)
  await hold(locks, fresh)
  return known !== null
}

/** Held until this page is gone. False: somebody else has it. */
function hold(locks: Locks, name: string): Promise<boolean> {
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(RELOAD_MS)
    const held = locks.request(`undertone page ${name}`, { signal }, () => {
      resolve(true)
      return new Promise<never>(() => {})
    })
    held.catch(() => resolve(false))
  })
}

export function pageName(kept: Kept): string {
  const known = kept.getItem(TAB)
  if (known) return known
  const fresh = crypto.randomUUID()
  kept.setItem(TAB, fresh)
  return fresh
}
