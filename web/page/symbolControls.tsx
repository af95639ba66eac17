import type { SymbolInfo } from "../messages.js"
import { minus, numberOf, sixteenth } from "./numbers.js"

/** A slider and a field for each symbol: the point, and the section of what is not drawn. */
export function SymbolControls({
  symbols,
  axes,
  move,
}: {
  readonly symbols: readonly SymbolInfo[]
  readonly axes: readonly string[]
  readonly move: (point: Readonly<Record<string, string>>) => void
}) {
  return (
    <div class="symbols">
      {symbols.map(({ name, words, value, low, high }) => (
        <div class="symbol" key={name}>
          <label for={`slide-${name}`}>
            <var>{name === "rho" ? "ρ" : name}</var> <span>{words}</span>
            {axes.includes(name) && <em> {axes[0] === name ? "across" : "upwards"}</em>}
          </label>
          <input
            id={`slide-${name}`}
            type="range"
            min={low}
            max={high}
            step={1 / 16}
            value={numberOf(value)}
            aria-valuetext={minus(value)}
            onInput={({ currentTarget }) => move({ [name]: sixteenth(currentTarget.valueAsNumber) })}
          />
          <input
            type="text"
            inputMode="text"
            size={6}
            value={value}
            aria-label={`${name}, exactly`}
            onChange={({ currentTarget }) => move({ [name]: currentTarget.value })}
          />
        </div>
      ))}
    </div>
  )
}
