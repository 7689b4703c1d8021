import {
  type ButtonProps,
  type CSSVariablesResolver,
  createTheme,
  type DrawerProps,
  type MantineColorsTuple,
  type MenuProps,
  type ModalProps,
  type SelectProps,
  type SkeletonProps,
  type TextareaProps,
  type TextInputProps,
  type TooltipProps,
} from '@mantine/core';

/** The one accent: deep sea blue. */
const tide: MantineColorsTuple = [
  '#ebf6fa',
  '#d8ecf3',
  '#aed8e6',
  '#80c3d9',
  '#55a9c5',
  '#2f90b1',
  '#1b7a9c',
  '#0f6a8c',
  '#0b5672',
  '#084459',
];

const gray: MantineColorsTuple = [
  '#f7f8f9',
  '#f0f2f4',
  '#e5e8eb',
  '#d8dce1',
  '#c2c8cf',
  '#9aa3ad',
  '#737d89',
  '#566170',
  '#37414d',
  '#1c232b',
];

const dark: MantineColorsTuple = [
  '#dfe3e8',
  '#a9b2bd',
  '#8993a0',
  '#626c79',
  '#3a424d',
  '#2b323b',
  '#22282f',
  '#191e24',
  '#13171b',
  '#0d1013',
];

/** Named by their types alone: the components themselves come with the pages that show them. */
const usually = <P>(defaultProps: Partial<P>) => ({ defaultProps });

export const theme = createTheme({
  primaryColor: 'tide',
  primaryShade: { light: 7, dark: 6 },
  colors: { tide, gray, dark },
  fontFamily: "'Inter Variable', system-ui, -apple-system, 'Segoe UI', sans-serif",
  fontFamilyMonospace: "ui-monospace, 'SF Mono', 'Cascadia Mono', Menlo, Consolas, monospace",
  fontSizes: { xs: '0.75rem', sm: '0.8125rem', md: '0.875rem', lg: '1rem', xl: '1.25rem' },
  headings: {
    fontWeight: '600',
    sizes: { h1: { fontSize: '1.25rem' }, h2: { fontSize: '1rem' }, h3: { fontSize: '0.875rem' } },
  },
  defaultRadius: 'sm',
  radius: { xs: '4px', sm: '6px', md: '8px', lg: '12px', xl: '20px' },
  respectReducedMotion: true,
  cursorType: 'pointer',
  focusRing: 'auto',
  components: {
    Button: usually<ButtonProps>({ size: 'xs' }),
    TextInput: usually<TextInputProps>({ size: 'sm' }),
    Textarea: usually<TextareaProps>({ size: 'sm' }),
    Select: usually<SelectProps>({ size: 'sm' }),
    Tooltip: usually<TooltipProps>({ openDelay: 300, multiline: true, maw: 320, fz: 'xs' }),
    Menu: usually<MenuProps>({ shadow: 'md', transitionProps: { duration: 100 } }),
    Modal: usually<ModalProps>({
      transitionProps: { duration: 120 },
      centered: true,
      // The cross has no words of its own.
      closeButtonProps: { 'aria-label': 'Close' },
    }),
    Drawer: usually<DrawerProps>({ transitionProps: { duration: 160 } }),
    Skeleton: usually<SkeletonProps>({ radius: 'sm' }),
  },
});

/** Contrast: Mantine's dimmed and placeholder greys are below AA on tinted surfaces, and so are its yellow notes in
    light; in dark its notes are full blocks of colour, and what is off cannot be told from the surface under it. */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {
    '--line-width': '1px',
    '--shell-sidebar': '13rem',
  },
  light: {
    '--mantine-color-dimmed': gray[7],
    '--mantine-color-placeholder': gray[6],
    '--surface': '#ffffff',
    '--surface-sunken': gray[0],
    '--surface-hover': gray[1],
    '--nav-active': gray[2],
    '--line': gray[2],
    '--line-strong': gray[3],
    '--accent-text': tide[7],
    '--good-text': '#1b6e34',
    '--warn-text': '#8a4b00',
    '--bad-text': '#b3261e',
    '--mantine-color-error': '#b3261e',
    '--mantine-color-anchor': tide[7],
    '--mantine-color-disabled-color': gray[6],
    '--mantine-color-yellow-light': '#fff4d6',
    '--mantine-color-yellow-light-color': '#8a4b00',
    '--mantine-color-orange-light': '#ffefdf',
    '--mantine-color-orange-light-color': '#9a3412',
    '--mantine-color-green-light-color': '#1b6e34',
  },
  dark: {
    '--mantine-color-body': dark[7],
    '--mantine-color-dimmed': dark[1],
    '--mantine-color-placeholder': dark[2],
    '--surface': dark[6],
    '--surface-sunken': dark[8],
    '--surface-hover': dark[5],
    '--nav-active': dark[5],
    '--line': dark[5],
    '--line-strong': dark[4],
    '--accent-text': tide[3],
    '--good-text': '#6fd58c',
    '--warn-text': '#f0b866',
    '--bad-text': '#ff9d95',
    '--mantine-color-error': '#ff9d95',
    '--mantine-color-anchor': tide[3],
    '--mantine-color-disabled': dark[5],
    '--mantine-color-disabled-color': dark[2],
    '--mantine-color-yellow-light': '#332a17',
    '--mantine-color-yellow-light-color': '#f0b866',
    '--mantine-color-orange-light': '#37281c',
    '--mantine-color-orange-light-color': '#ffb27a',
    '--mantine-color-red-light': '#3a2224',
    '--mantine-color-red-light-color': '#ff9d95',
    '--mantine-color-green-light': '#1c3324',
    '--mantine-color-green-light-color': '#6fd58c',
  },
});

/** The server writes the nonce of each answer into this tag; an unreplaced placeholder is harmless. */
export const styleNonce = () => document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? '';
