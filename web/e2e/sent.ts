// What a page's own microphone sends, by the browser's own measure: every leg that the page makes is kept, and asked
// how much sound went into it. A track that is shut, or none, adds nothing at all.
import { expect } from 'vitest'
import type { Page } from 'playwright-core'
import { until } from './stage'

/** Before the page's first script. */
export async function keepLegs(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const made: RTCPeerConnection[] = []
    Object.assign(window, { madeLegs: made })
    window.RTCPeerConnection = class extends RTCPeerConnection {
      constructor(configuration?: RTCConfiguration) {
        super(configuration)
        made.push(this)
      }
    }
  })
}

interface Sent {
  /** Legs that are up. */
  legs: number
  /** Grows with all that is not silence. */
  energy: number
  /** As loud as it is now, by the browser's meter. */
  level: number
  /** Tracks that are sent and not shut. */
  open: number
}

async function sent(page: Page): Promise<Sent> {
  return page.evaluate(async () => {
    const { madeLegs } = window as unknown as { madeLegs: RTCPeerConnection[] }
    const up = madeLegs.filter((one) => one.connectionState !== 'closed')
    let [energy, level, open] = [0, 0, 0]
    for (const leg of up) {
      open += leg
        .getSenders()
        .filter(({ track }) => track?.enabled && track.readyState === 'live').length
      for (const report of (await leg.getStats()).values()) {
        if (report.type === 'media-source') {
          energy += report.totalAudioEnergy ?? 0
          level = Math.max(level, report.audioLevel ?? 0)
        }
      }
    }
    return { legs: up.length, energy, level, open }
  })
}

/** The control: while one is to be heard, the same measure sees it. */
export async function sends(page: Page): Promise<void> {
  const before = await sent(page)
  await until(
    async () => {
      const now = await sent(page)
      return now.open > 0 && now.energy > before.energy
    },
    'the microphone is sent',
    30_000,
  )
}

/** For so long, though the beep of the fake microphone comes once a second. */
export async function sendsNothing(page: Page, ms = 3_000): Promise<void> {
  await until(async () => (await sent(page)).open === 0, 'the microphone is shut')
  // The browser's meter falls to a quarter each 100 ms: what was said before fades out of it within a second or two.
  await until(async () => (await sent(page)).level === 0, 'the meter has come to nothing')
  const before = await sent(page)
  const end = Date.now() + ms
  while (Date.now() < end) {
    const now = await sent(page)
    expect([now.open, now.level]).toEqual([0, 0])
    // Not by the smallest amount; a track that was taken away takes its count with it.
    expect(now.energy).toBeLessThanOrEqual(before.energy)
    await page.waitForTimeout(50)
  }
}
