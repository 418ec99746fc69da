/**
 * The look of a plot, in the file itself: it is shown as a picture, where no style sheet of a page reaches it. Colours were
 * chosen to be told apart by people who see few of them, on white and on dark grey; dashes tell the second round apart.
 */

/** Light, dark. */
const seriesColours: readonly (readonly [string, string])[] = [
  ['#0072b2', '#5ab4e8'],
  ['#d55e00', '#ff9248'],
  ['#00805f', '#3fcf9f'],
  ['#a3478a', '#e58fcb'],
  ['#8a6d00', '#e3c447'],
  ['#4a4a4a', '#c4c4c4'],
]

const light = { paper: '#ffffff', ink: '#24292f', faint: '#57606a', grid: '#d8dee4' }
const dark = { paper: '#0d1117', ink: '#e6edf3', faint: '#9da7b3', grid: '#30363d' }

export const styleText = [
  sheet(light, 0),
  `@media (prefers-color-scheme: dark) { ${sheet(dark, 1)} }`,
  'text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; }',
  '.title { font-size: 15px; font-weight: 600; }',
  '.curve { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }',
  '.grid { stroke-width: 1; }',
].join('\n')

function sheet(colours: typeof light, at: 0 | 1): string {
  const series = seriesColours.map((pair, n) => `.s${n} { stroke: ${pair[at]}; } .f${n} { fill: ${pair[at]}; }`)
  return [
    `.paper { fill: ${colours.paper}; }`,
    `text { fill: ${colours.ink}; }`,
    `text.faint { fill: ${colours.faint}; }`,
    `.grid { stroke: ${colours.grid}; }`,
    `.axis { stroke: ${colours.faint}; }`,
    ...series,
  ].join(' ')
}

export interface Look {
  readonly stroke: string
  readonly fill: string
  /** Empty: a full line. */
  readonly dashes: string
}

export function lookOf(n: number): Look {
  const colour = n % seriesColours.length
  const dashes = ['', '6 4', '2 3'][Math.floor(n / seriesColours.length) % 3]!
  return { stroke: `s${colour}`, fill: `f${colour}`, dashes }
}
