import type { Diagram, SetName } from "../messages.js"
import { ChartFrame, within } from "./chartFrame.js"
import { minus, numberOf, sixteenth } from "./numbers.js"
import { scale, spread, symbolScale } from "./scales.js"
import { SET_WORDS } from "./setWords.js"

const SIZE = { width: 640, height: 460, left: 62, right: 70, top: 34, bottom: 52 }

/** Every quantity's exponent in the limit, over one symbol; sets are bands. */
export function ExponentChart({
  diagram,
  sets,
  hover,
  move,
}: {
  readonly diagram: Diagram
  readonly sets: readonly SetName[]
  readonly hover: (point: Readonly<Record<string, string>> | null) => void
  readonly move: (point: Readonly<Record<string, string>>) => void
}) {
  const [x] = diagram.axes
  const values = diagram.lines.flatMap(({ ends }) => ends.map(([, value]) => value))
  const low = Math.max(-3, Math.floor(2 * Math.min(-0.5, ...values)) / 2)
  const high = Math.min(3, Math.ceil(2 * Math.max(0.5, ...values)) / 2)
  const across = symbolScale(x, SIZE.left, SIZE.width - SIZE.right)
  const up = scale(low, high, SIZE.height - SIZE.bottom, SIZE.top)
  const bottom = SIZE.height - SIZE.bottom
  const names = [...new Set(diagram.lines.map(({ quantity }) => quantity))]
  const labels = spread(
    names.map((name) => {
      const own = diagram.lines.filter(({ quantity }) => quantity === name)
      const last = own.reduce((p, q) => (q.ends[1][0] > p.ends[1][0] ? q : p)).ends[1]
      return { name, x: across(last[0]), y: up(Math.min(high, Math.max(low, last[1]))) }
    }),
  )
  return (
    <ChartFrame
      size={SIZE}
      label={`Exponents of ${diagram.name} over ${x.name}. Arrow keys move the point.`}
      at={(place) => ({ [x.name]: within(x, across.inverse(place)) })}
      stepped={(right) => (right === 0 ? null : { [x.name]: within(x, numberOf(x.value) + right) })}
      hover={hover}
      move={move}
    >
      <rect
        class="ground plain"
        x={SIZE.left}
        y={SIZE.top}
        width={SIZE.width - SIZE.left - SIZE.right}
        height={bottom - SIZE.top}
      />
      {sets.map((name, row) =>
        diagram.sets[name]?.map(({ corners }, i) => {
          const [from, to] = [Math.min(...corners.map(([c]) => c)), Math.max(...corners.map(([c]) => c))]
          const wide = across(to) - across(from)
          return (
            <g key={`${name}${i}`}>
              {wide > 0 ? (
                <rect class={`set ${name}`} x={across(from)} y={SIZE.top} width={wide} height={bottom - SIZE.top} />
              ) : (
                <path class={`edge ${name}`} d={`M${across(from)},${SIZE.top}V${bottom}`} />
              )}
              <text class={`name ${name}`} x={across(from) + wide / 2} y={SIZE.top - 8 - (wide > 0 ? 0 : 0 * row)}>
                {SET_WORDS[name].short}
              </text>
            </g>
          )
        }),
      )}
      <g class="axes">
        {up.ticks.map((tick) => (
          <g key={tick}>
            <path class={tick === 0 ? "zero" : "grid"} d={`M${SIZE.left},${up(tick)}H${SIZE.width - SIZE.right}`} />
            <text x={SIZE.left - 10} y={up(tick) + 4} text-anchor="end">
              {minus(sixteenth(tick))}
            </text>
          </g>
        ))}
        {across.ticks.map((tick) => (
          <g key={tick}>
            <path class="tick" d={`M${across(tick)},${bottom}v6`} />
            <text x={across(tick)} y={bottom + 20} text-anchor="middle">
              {minus(sixteenth(tick))}
            </text>
          </g>
        ))}
        <text class="title" x={(SIZE.left + SIZE.width - SIZE.right) / 2} y={SIZE.height - 8} text-anchor="middle">
          <tspan class="var">{x.name}</tspan>, {x.words}
        </text>
        <text class="title" transform={`translate(16 ${(SIZE.top + bottom) / 2}) rotate(-90)`} text-anchor="middle">
          exponent of the width
        </text>
      </g>
      <g class="lines">
        {diagram.lines.map(({ quantity, ends }, i) => (
          <path
            key={i}
            class={`line q${names.indexOf(quantity) % 7}`}
            d={`M${across(ends[0][0])},${up(ends[0][1])}L${across(ends[1][0])},${up(ends[1][1])}`}
          />
        ))}
        {labels.map(({ name, x, y }) => (
          <text key={name} class={`q${names.indexOf(name) % 7}`} x={x + 6} y={y + 4}>
            {name}
          </text>
        ))}
      </g>
      <g class="point">
        <path d={`M${across(numberOf(x.value))},${SIZE.top}V${bottom}`} />
        <circle cx={across(numberOf(x.value))} cy={bottom} r={6.5} />
      </g>
    </ChartFrame>
  )
}
