// One demo and one browser for all tests of a file, there before the first and gone after the last.
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll } from 'vitest'
import { browser, demo, type Server } from './stage'

export interface Opened {
  server: Server
  chrome: Browser
}

/** Filled before the first test. `more`: further arguments of `undertone demo`. */
export function opened(more: string[] = []): Opened {
  const here = {} as Opened
  beforeAll(async () => {
    const [server, chrome] = await Promise.all([demo(10, more), browser()])
    Object.assign(here, { server, chrome })
  })
  afterAll(async () => {
    await here.chrome?.close()
    await here.server?.stop()
  })
  return here
}
