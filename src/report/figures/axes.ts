/** The most labelled ticks of a logarithmic axis. */
const MOST_TICKS = 6

/** The part of an axis left free at either end. */
const MARGIN = 0.04

/** A channel's type, scale and axis; spread it beside `field`. */
export interface Channel {
  readonly type: "quantitative"
  readonly scale: {
    readonly type: "log" | "linear"
    readonly base?: number
    readonly domain: readonly [number, number]
  }
  readonly axis: Readonly<Record<string, unknown>>
}

/**
 * A logarithmic channel that holds all the positive finite values: few ticks, at powers of the base, written as 10⁻³ or
 * 2¹⁰.
 *
 * @param title with the unit or the exponent of what is drawn.
 */
export function logChannel(title: string, values: Iterable<number>, base: 2 | 10 = 10): Channel {
  const logs = [...values].filter((value) => value > 0 && Number.isFinite(value)).map((value) => log(value, base))
  const [least, most] = logs.length === 0 ? [0, 1] : [Math.min(...logs), Math.max(...logs)]
  const margin = Math.max(MARGIN * (most - least), base === 2 ? 0.25 : 0.05)
  const [low, high] = [least - margin, most + margin]
  const ticks = powerTicks(low, high, base) ?? mantissaTicks(low * Math.log10(base), high * Math.log10(base))
  const labels = Object.fromEntries(ticks.map(({ value, label }) => [value, label]))
  return {
    type: "quantitative",
    scale: { type: "log", base, domain: [base ** low, base ** high] },
    axis: {
      title,
      values: ticks.map(({ value }) => value),
      labelExpr: `${JSON.stringify(labels)}[datum.value]`,
      labelOverlap: false,
    },
  }
}

/** A linear channel with exactly this domain. */
export function linearChannel(title: string, domain: readonly [number, number]): Channel {
  return { type: "quantitative", scale: { type: "linear", domain }, axis: { title, tickCount: 4 } }
}

/** A power for a label: n^(−1/2), or n⁰ = 1 as "constant". */
export function powerLabel(base: string, exponent: string): string {
  if (exponent === "0") return "constant"
  return exponent === "1" ? base : `${base}^(${exponent.replaceAll("-", "−")})`
}

interface Tick {
  readonly value: number
  readonly label: string
}

function powerTicks(low: number, high: number, base: 2 | 10): Tick[] | null {
  const [first, last] = [Math.ceil(low), Math.floor(high)]
  const count = last - first + 1
  if (count < 2) return null
  const step = Math.ceil(count / MOST_TICKS)
  const start = Math.ceil(first / step) * step
  const exponents = Array.from({ length: Math.floor((last - start) / step) + 1 }, (_, i) => start + i * step)
  return exponents.map((exponent) => ({ value: power(base, exponent), label: `${base}${superscript(exponent)}` }))
}

/**
 * Where fewer than two powers of the base lie: 1, 2 and 5 times powers of ten, and where even those are too few, more
 * digits.
 *
 * @param low the lower end, as its logarithm to base 10.
 */
function mantissaTicks(low: number, high: number): Tick[] {
  const within = (mantissas: readonly number[]) =>
    [Math.floor(low), Math.floor(high)]
      .filter((exponent, i, all) => all.indexOf(exponent) === i)
      .flatMap((exponent) => mantissas.map((mantissa) => Number(`${mantissa}e${exponent}`)))
      .filter((value) => Math.log10(value) >= low && Math.log10(value) <= high)
  const few = within([1, 2, 5])
  const values = few.length >= 2 ? few : within([1, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9])
  return values.map((value) => ({ value, label: plain(value) }))
}

/** A number below a thousand as it is, any other with its power of ten. */
function plain(value: number): string {
  if (value >= 1e-3 && value < 1e4) return String(value)
  const [mantissa, exponent] = value.toExponential().split("e")
  return `${mantissa === "1" ? "" : `${mantissa}·`}10${superscript(Number(exponent))}`
}

function superscript(exponent: number): string {
  return [...String(exponent)].map((c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(c)])).join("")
}

/** 10^k as it is written, so that a tick is equal to the value it stands for. */
function power(base: 2 | 10, exponent: number): number {
  return base === 2 ? 2 ** exponent : Number(`1e${exponent}`)
}

function log(value: number, base: 2 | 10): number {
  return base === 2 ? Math.log2(value) : Math.log10(value)
}
