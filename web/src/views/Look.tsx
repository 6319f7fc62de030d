// Colours, direction and language of the document. Mantine's dimmed text and outlines fail contrast as
// they come, so both are darkened here, once, for light and dark.
import {
  DirectionProvider,
  MantineProvider,
  createTheme,
  useDirection,
  type CSSVariablesResolver,
  type MantineColorsTuple,
} from '@mantine/core'
import { useEffect, type ReactNode } from 'react'
import { useWords } from './use'

/** White on the seventh, and the fourth on a dark ground, have the contrast that Mantine's own lack. */
const RED: MantineColorsTuple = [
  '#ffe9e6',
  '#ffd5cf',
  '#ffbcb3',
  '#ffa198',
  '#ff8578',
  '#f0685a',
  '#d5402f',
  '#b42318',
  '#8f1c13',
  '#6d150e',
]

const theme = createTheme({
  primaryColor: 'indigo',
  primaryShade: { light: 7, dark: 7 },
  fontFamily: 'system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif',
  defaultRadius: 'sm',
  cursorType: 'pointer',
  respectReducedMotion: true,
  focusRing: 'auto',
  colors: { red: RED },
  components: {
    // A dialog's head is not the page's; and what opens from a landmark stays in it.
    Modal: { defaultProps: { attributes: { header: { role: 'presentation' } } } },
    Menu: { defaultProps: { withinPortal: false, withInitialFocusPlaceholder: false } },
    Combobox: { defaultProps: { withinPortal: false } },
  },
})

const contrast: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-dimmed': '#495057',
    '--mantine-color-placeholder': '#5c636a',
    '--mantine-color-error': '#b42318',
    '--mantine-color-default-border': '#868e96',
  },
  dark: {
    '--mantine-color-dimmed': '#c1c5c9',
    '--mantine-color-placeholder': '#a6abb0',
    '--mantine-color-error': '#ffa198',
    '--mantine-color-default-border': '#7a7f85',
  },
})

const nonce = () => document.querySelector<HTMLMetaElement>('meta[name=csp-nonce]')?.content ?? ''

export function Look({ children }: { children: ReactNode }) {
  return (
    <DirectionProvider>
      <MantineProvider
        theme={theme}
        defaultColorScheme="auto"
        cssVariablesResolver={contrast}
        getStyleNonce={nonce}
      >
        <Language />
        {children}
      </MantineProvider>
    </DirectionProvider>
  )
}

function Language() {
  const words = useWords()
  const { setDirection } = useDirection()
  useEffect(() => {
    document.documentElement.lang = words.language
    setDirection(words.rtl ? 'rtl' : 'ltr')
  })
  return null
}
