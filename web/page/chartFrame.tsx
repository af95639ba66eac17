import type { ComponentChildren } from "preact"
import { useRef } from "preact/hooks"
import type { SymbolInfo } from "../messages.js"
import { sixteenth } from "./numbers.js"

/** Values of symbols, as texts. */
type Values = Readonly<Record<string, string>>

interface Props {
  /** Of the drawing, in its own units. */
  readonly size: { readonly width: number; readonly height: number }
  readonly label: string
  /** The values at a place of the drawing. */
  readonly at: (x: number, y: number) => Values
  /** The values that much to the right and above; null where the chart has no such direction. */
  readonly stepped: (right: number, above: number) => Values | null
  readonly hover: (values: Values | null) => void
  readonly move: (values: Values) => void
  readonly children: ComponentChildren
}

const WAYS: Readonly<Record<string, readonly [right: number, above: number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, 1],
  ArrowDown: [0, -1],
}

/** A chart with a point in it: what lies under the pointer is told; a press and the arrow keys move the point. */
export function ChartFrame({ size, label, at, stepped, hover, move, children }: Props) {
  const svg = useRef<SVGSVGElement>(null)
  const under = ({ clientX, clientY }: MouseEvent) => {
    const { left, top, width, height } = svg.current!.getBoundingClientRect()
    return at(((clientX - left) / width) * size.width, ((clientY - top) / height) * size.height)
  }
  const step = (event: KeyboardEvent) => {
    const way = WAYS[event.key]
    if (way === undefined) return
    const pace = (event.shiftKey ? 4 : 1) / 16
    const values = stepped(way[0] * pace, way[1] * pace)
    if (values === null) return
    event.preventDefault()
    move(values)
  }
  return (
    <svg
      ref={svg}
      class="plane"
      viewBox={`0 0 ${size.width} ${size.height}`}
      role="application"
      tabindex={0}
      aria-label={label}
      aria-describedby="reading"
      onPointerMove={(event) => (event.buttons === 1 ? move(under(event)) : hover(under(event)))}
      onPointerLeave={() => hover(null)}
      onPointerDown={(event) => {
        hover(null)
        move(under(event))
      }}
      onKeyDown={step}
    >
      {children}
    </svg>
  )
}

/** The value nearest to this one that a symbol may take in the chart. */
export function within({ low, high }: SymbolInfo, value: number): string {
  return sixteenth(Math.min(high, Math.max(low, value)))
}
