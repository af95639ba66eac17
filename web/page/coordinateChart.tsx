import { minus } from "./numbers.js"
import { scale, spread } from "./scales.js"
import type { Trained } from "./useTraining.js"

const SIZE = { width: 640, height: 460, left: 62, right: 150, top: 14, bottom: 50 }

/** Sizes against the width, measured; the derived slope is drawn through the widest width. */
export function CoordinateChart({ trained, step }: { readonly trained: Trained; readonly step: number }) {
  const { widths, measured, derived } = trained
  const lines = Object.entries(derived).flatMap(([name, exponents]) => {
    const exponent = exponents[step - 1]
    const points = measured.flatMap(({ width, sizes }) => {
      const size = sizes[name]?.[step - 1]
      return size !== undefined && size > 0 && Number.isFinite(size)
        ? [[Math.log2(width), Math.log2(size)] as const]
        : []
    })
    return exponent === null || exponent === undefined || points.length === 0 ? [] : [{ name, exponent, points }]
  })
  const [first, last] = [Math.log2(widths[0]!), Math.log2(widths.at(-1)!)]
  const ends = lines.flatMap(({ exponent, points }) => {
    const [x, y] = points.at(-1)!
    return [...points.map(([, size]) => size), y + exponent * (first - x), y + exponent * (last - x)]
  })
  const [low, high] = [Math.floor(Math.min(...ends)) - 0.5, Math.ceil(Math.max(...ends)) + 0.5]
  const across = scale(first, last, SIZE.left, SIZE.width - SIZE.right)
  const up = scale(low, high, SIZE.height - SIZE.bottom, SIZE.top)
  const bottom = SIZE.height - SIZE.bottom
  const labels = spread(
    lines.map(({ name, exponent, points }) => {
      const [x, y] = points.at(-1)!
      return { name, exponent, x: across(last), y: up(y + exponent * (last - x)) }
    }),
  )
  const summary = lines.map(({ name, exponent }) => `${name} derived ${exponent}`).join(", ")
  return (
    <svg
      class="chart"
      viewBox={`0 0 ${SIZE.width} ${SIZE.height}`}
      role="img"
      aria-label={`Sizes against the width after step ${step}: ${summary}`}
    >
      <g class="axes">
        {up.ticks.filter(Number.isInteger).map((tick) => (
          <g key={tick}>
            <path class="grid" d={`M${SIZE.left},${up(tick)}H${SIZE.width - SIZE.right}`} />
            <text x={SIZE.left - 8} y={up(tick) + 4} text-anchor="end">
              2
              <tspan dy="-5" class="power">
                {minus(String(tick))}
              </tspan>
            </text>
          </g>
        ))}
        {widths.map((width) => (
          <g key={width}>
            <path class="tick" d={`M${across(Math.log2(width))},${bottom}v6`} />
            <text x={across(Math.log2(width))} y={bottom + 20} text-anchor="middle">
              {width}
            </text>
          </g>
        ))}
        <path class="zero" d={`M${SIZE.left},${bottom}H${SIZE.width - SIZE.right}`} />
        <text class="title" x={(SIZE.left + SIZE.width - SIZE.right) / 2} y={SIZE.height - 6} text-anchor="middle">
          width <tspan class="var">n</tspan>
        </text>
        <text class="title" transform={`translate(14 ${(SIZE.top + bottom) / 2}) rotate(-90)`} text-anchor="middle">
          root mean square
        </text>
      </g>
      {lines.map(({ name, exponent, points }, i) => {
        const [x, y] = points.at(-1)!
        return (
          <g key={name} class={`q${i % 7}`}>
            <path
              class="line derived"
              d={`M${across(first)},${up(y + exponent * (first - x))}L${across(last)},${up(y + exponent * (last - x))}`}
            />
            {points.map(([px, py]) => (
              <Mark key={px} kind={i} x={across(px)} y={up(py)} />
            ))}
          </g>
        )
      })}
      <g class="lines">
        {labels.map(({ name, exponent, x, y }) => (
          <text key={name} class={`q${lines.findIndex((line) => line.name === name) % 7}`} x={x + 10} y={y + 4}>
            {name} <tspan class="law">n^{minus(fraction(exponent))}</tspan>
          </text>
        ))}
      </g>
    </svg>
  )
}

/** A measured size; quantities differ in their marks too, not in colour alone. */
function Mark({ kind, x, y }: { readonly kind: number; readonly x: number; readonly y: number }) {
  const shapes = [
    `M${x - 4},${y}a4,4 0 1,0 8,0a4,4 0 1,0 -8,0`,
    `M${x - 4},${y - 4}h8v8h-8z`,
    `M${x},${y - 5}l5,9h-10z`,
    `M${x},${y - 5}l5,5l-5,5l-5,-5z`,
    `M${x},${y + 5}l5,-9h-10z`,
  ]
  return <path class="mark" d={shapes[kind % shapes.length]} />
}

/** Derived exponents have small denominators. */
function fraction(value: number): string {
  for (const below of [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64])
    if (Math.abs(value * below - Math.round(value * below)) < 1e-9)
      return below === 1 ? String(Math.round(value)) : `${Math.round(value * below)}/${below}`
  return value.toFixed(3)
}
