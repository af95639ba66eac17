import type { ComponentChildren } from "preact"
import type { Diagram, Point, SetName, Shape, SymbolInfo } from "../messages.js"
import { ChartFrame, within } from "./chartFrame.js"
import { minus, numberOf, sixteenth } from "./numbers.js"
import { type Scale, symbolScale } from "./scales.js"
import { SET_WORDS } from "./setWords.js"

const SIZE = { width: 640, height: 500, left: 62, right: 18, top: 16, bottom: 52 }

interface Props {
  readonly diagram: Diagram
  readonly y: SymbolInfo
  readonly sets: readonly SetName[]
  /** The inequality that is shown stronger; empty for none. */
  readonly claim: string
  readonly hover: (point: Readonly<Record<string, string>> | null) => void
  readonly move: (point: Readonly<Record<string, string>>) => void
}

/** The phase diagram in two symbols: sets, regions, and the point. */
export function PhasePlane({ diagram, y, sets, claim, hover, move }: Props) {
  const [x] = diagram.axes
  const across = symbolScale(x, SIZE.left, SIZE.width - SIZE.right)
  const up = symbolScale(y, SIZE.height - SIZE.bottom, SIZE.top)
  const at = ([a, b]: Point) => `${across(a).toFixed(1)},${up(b).toFixed(1)}`
  const path = ({ corners }: Shape) => `M${corners.map(at).join("L")}Z`
  const drawn = sets.flatMap((name) => {
    const shapes = diagram.sets[name]
    return shapes === null ? [] : [{ name, shapes }]
  })
  const [px, py] = [across(numberOf(x.value)), up(numberOf(y.value))]
  return (
    <ChartFrame
      size={SIZE}
      label={`Phase diagram of ${diagram.name} over ${x.name} and ${y.name}. Arrow keys move the point.`}
      at={(right, down) => ({
        [x.name]: within(x, across.inverse(right)),
        [y.name]: within(y, up.inverse(down)),
      })}
      stepped={(right, above) => ({
        [x.name]: within(x, numberOf(x.value) + right),
        [y.name]: within(y, numberOf(y.value) + above),
      })}
      hover={hover}
      move={move}
    >
      <Patterns />
      <rect class="ground" {...box()} />
      {drawn.map(({ name, shapes }) =>
        shapes.map((shape, i) => <path key={`${name}${i}`} class={`set ${name}`} d={path(shape)} />),
      )}
      {diagram.regions.map((shape, i) => (
        <path key={i} class={shape.region === diagram.reading.region ? "region here" : "region"} d={path(shape)} />
      ))}
      {drawn.map(({ name, shapes }) =>
        shapes.flatMap(({ edges, corners }, i) => [
          ...edges.map(({ ends, open, claim: own }, j) => (
            <path
              key={`${name}${i}.${j}`}
              class={`edge ${name}${open ? " open" : ""}${own === claim ? " told" : ""}`}
              d={`M${at(ends[0])}L${at(ends[1])}`}
            />
          )),
          ...(corners.length === 1
            ? [
                <circle
                  key={`${name}${i}`}
                  class={`spot ${name}`}
                  cx={across(corners[0]![0])}
                  cy={up(corners[0]![1])}
                  r={6}
                />,
              ]
            : []),
        ]),
      )}
      <Axes x={x} y={y} across={across} up={up} />
      {drawn.map(({ name, shapes }) => {
        const place = placeOf(shapes)
        return (
          place !== null && (
            <text key={name} class={`name ${name}`} x={across(place[0])} y={up(place[1]) + (isThin(shapes) ? -9 : 5)}>
              {SET_WORDS[name].short}
            </text>
          )
        )
      })}
      <g class="point">
        <path d={`M${px},${SIZE.top}V${SIZE.height - SIZE.bottom}M${SIZE.left},${py}H${SIZE.width - SIZE.right}`} />
        <circle cx={px} cy={py} r={6.5} />
      </g>
    </ChartFrame>
  )
}

/** The inner rectangle. */
function box() {
  const { left, right, top, bottom, width, height } = SIZE
  return { x: left, y: top, width: width - left - right, height: height - top - bottom }
}

function Axes({ x, y, across, up }: { x: SymbolInfo; y: SymbolInfo; across: Scale; up: Scale }) {
  const [bottom, left] = [SIZE.height - SIZE.bottom, SIZE.left]
  return (
    <g class="axes">
      {across.ticks.map((tick) => (
        <Tick key={`x${tick}`} line={`M${across(tick)},${bottom}v6`} x={across(tick)} y={bottom + 20} anchor="middle">
          {minus(sixteenth(tick))}
        </Tick>
      ))}
      {up.ticks.map((tick) => (
        <Tick key={`y${tick}`} line={`M${left},${up(tick)}h-6`} x={left - 10} y={up(tick) + 4} anchor="end">
          {minus(sixteenth(tick))}
        </Tick>
      ))}
      <rect class="frame" {...box()} />
      <text class="title" x={(left + SIZE.width - SIZE.right) / 2} y={SIZE.height - 8} text-anchor="middle">
        <tspan class="var">{x.name === "rho" ? "ρ" : x.name}</tspan>, {x.words}
      </text>
      <text class="title" transform={`translate(16 ${(SIZE.top + bottom) / 2}) rotate(-90)`} text-anchor="middle">
        <tspan class="var">{y.name === "rho" ? "ρ" : y.name}</tspan>, {y.words}
      </text>
    </g>
  )
}

function Tick(props: { line: string; x: number; y: number; anchor: "middle" | "end"; children: ComponentChildren }) {
  return (
    <>
      <path class="tick" d={props.line} />
      <text x={props.x} y={props.y} text-anchor={props.anchor}>
        {props.children}
      </text>
    </>
  )
}

/** Sets are told apart by hatching too, not by colour alone. */
function Patterns() {
  return (
    <defs>
      <pattern id="hatch" width="9" height="9" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
        <path class="hatch" d="M0,0V9" />
      </pattern>
      <pattern id="dots" width="10" height="10" patternUnits="userSpaceOnUse">
        <circle class="dots" cx="3" cy="3" r="1.3" />
      </pattern>
    </defs>
  )
}

function isThin(shapes: readonly Shape[]): boolean {
  return shapes.every(({ corners }) => corners.length < 3)
}

/** Where a set's name stands: the middle of the corners of its largest piece. */
function placeOf(shapes: readonly Shape[]): Point | null {
  const largest = shapes.reduce<Shape | null>(
    (best, shape) => (best === null || area(shape) > area(best) ? shape : best),
    null,
  )
  if (largest === null) return null
  const { corners } = largest
  const mean = (i: 0 | 1) => corners.reduce((sum, corner) => sum + corner[i], 0) / corners.length
  return [mean(0), mean(1)]
}

function area({ corners }: Shape): number {
  let twice = 0
  corners.forEach(([x, y], i) => {
    const [u, v] = corners[(i + 1) % corners.length]!
    twice += x * v - u * y
  })
  return Math.abs(twice) + 1e-6 * corners.length
}
