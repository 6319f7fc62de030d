// The filters of the history as they stand in its address.
export interface HistorySearch {
  from?: string
  to?: string
  agent?: string
  queue?: string
  supervised?: boolean
}

/** From the address; what makes no sense there is left out. */
export function historySearch(raw: Record<string, unknown>): HistorySearch {
  // An extension in an address reads as a number.
  const text = (name: string) => {
    const value = raw[name]
    const said = typeof value === 'string' || typeof value === 'number' ? String(value) : ''
    return said === '' ? {} : { [name]: said }
  }
  const day = (name: string) => (isDay(raw[name]) ? text(name) : {})
  const supervised = raw['supervised'] === true || raw['supervised'] === 'true'
  return {
    ...day('from'),
    ...day('to'),
    ...text('agent'),
    ...text('queue'),
    ...(supervised ? { supervised } : {}),
  }
}

const isDay = (value: unknown): boolean =>
  typeof value === 'string' &&
  /^\d{4}-\d\d-\d\d$/.test(value) &&
  !Number.isNaN(Date.parse(`${value}T00:00:00`))
