// Which page is open, by its heading: for the tab's title, and so that who comes by a link or a key is led to
// where the page begins. Knows no view.
import { Store } from './store'

export class OpenPage extends Store<string> {
  #opened = 0

  constructor() {
    super('')
  }

  /** A page stands there. True if another stood there before, so that its heading is to have the focus. */
  opens(): boolean {
    this.#opened += 1
    return this.#opened > 1
  }
}

/** What a tab is called: who hears one comes first, since a narrow tab shows the beginning alone. */
export function titleOf(page: string, sentence: string | null, name: string): string {
  const parts = sentence === null ? [page, name] : [sentence, page]
  return parts.filter((part) => part !== '').join(' · ')
}
