import type { ComponentChildren } from "preact"
import type { Claim, Diagram, Engine, TrainAsked } from "../messages.js"
import { ENGINES } from "../messages.js"
import { CoordinateChart } from "./coordinateChart.js"
import { JsonLink } from "./jsonLink.js"
import { minus } from "./numbers.js"
import type { State } from "./state.js"
import type { Change } from "./useExplorer.js"
import { type Trained, useTraining } from "./useTraining.js"

/** What the fields of the training hold at first. */
const USUAL = { from: "6", to: "12", seeds: "16", steps: "3", engine: "interpreter" }

const ENGINE_WORDS: Readonly<Record<Engine, string>> = {
  interpreter: "the reference interpreter, float64",
  kernel: "the WebAssembly kernel, float32",
  gpu: "a graphics card by WebGPU, float32",
}

const VERDICTS: Readonly<Record<Claim["verdict"], string>> = {
  agrees: "✓ agrees",
  contradicts: "✗ contradicts",
  inconclusive: "? undecided",
}

/** The same program as real numbers, width by width: measured slopes beside the derived ones. */
export function TrainView({
  state,
  change,
  scheme,
  diagram,
}: {
  readonly state: State
  readonly change: Change
  readonly scheme: Pick<TrainAsked, "name" | "text" | "optimiser">
  readonly diagram: Diagram
}) {
  const { trained, isRunning, start, stop } = useTraining()
  const fields = { ...USUAL, ...state.train }
  const set = (name: keyof typeof USUAL) => (value: string) => change({ train: { ...state.train, [name]: value } })
  const point = Object.fromEntries(diagram.symbols.map(({ name, value }) => [name, value]))
  const asked: TrainAsked = {
    ...scheme,
    point,
    from: Number(fields.from),
    to: Number(fields.to),
    seeds: Number(fields.seeds),
    steps: Number(fields.steps),
    engine: ENGINES.find((engine) => engine === fields.engine) ?? "interpreter",
  }
  const step = Math.min(asked.steps, Number(state.train.step ?? asked.steps))
  // The kernel's memory is shared between threads, which only a page that is isolated from others may have.
  const offered: Readonly<Record<Engine, boolean>> = {
    interpreter: true,
    kernel: diagram.name.startsWith("teacher-student/") && crossOriginIsolated,
    gpu: "gpu" in navigator,
  }
  const engines = ENGINES.filter((engine) => offered[engine])
  const isStale = trained !== null && JSON.stringify(trained.asked) !== JSON.stringify(asked)
  return (
    <>
      <div class="heading">
        <h2>{diagram.title}</h2>
        <p class="took">{diagram.symbols.map(({ name, value }) => `${name} = ${minus(value)}`).join(", ")}</p>
      </div>
      <form
        class="budget"
        onSubmit={(event) => {
          event.preventDefault()
          start(asked)
        }}
      >
        <Choice label="Widths from" value={fields.from} set={set("from")} options={powers(4, 10)} />
        <Choice label="to" value={fields.to} set={set("to")} options={powers(8, 16)} />
        <Choice label="Seeds" value={fields.seeds} set={set("seeds")} options={plain(["4", "8", "16", "32", "64"])} />
        <Choice label="Steps" value={fields.steps} set={set("steps")} options={plain(["1", "2", "3", "4", "5", "8"])} />
        <Choice
          label="Computed by"
          value={asked.engine}
          set={set("engine")}
          options={engines.map((engine) => [engine, ENGINE_WORDS[engine]] as const)}
        />
        <button type="submit" class="main">
          {trained === null ? "Train" : "Train again"}
        </button>
        {isRunning && (
          <button type="button" onClick={stop}>
            Stop
          </button>
        )}
      </form>
      <p role="status">{trained === null ? FIRST : progress(trained, isRunning, isStale)}</p>
      {trained?.refusal && (
        <p class="refusal" role="alert">
          {trained.refusal.message}
        </p>
      )}
      {trained !== null && trained.measured.length > 0 && (
        <div class="trained">
          <div>
            <Choice
              label="Sizes after step"
              value={String(step)}
              set={(value) => change({ train: { ...state.train, step: value } })}
              options={plain(Array.from({ length: trained.asked.steps }, (_, i) => String(i + 1)))}
            />
            <CoordinateChart trained={trained} step={step} />
          </div>
          {trained.claims !== null && (
            <div>
              <Verdicts claims={trained.claims} step={step} />
              <p class="command">
                All steps, as <code>check</code> prints them:{" "}
                <JsonLink
                  name={`check-${diagram.name}`}
                  value={{ schema: "lora-scaling/verify/1", claims: trained.claims }}
                />
              </p>
            </div>
          )}
        </div>
      )}
    </>
  )
}

const FIRST =
  "Each width is trained from several seeds. The slope of a size against the width, on logarithmic axes, is its measured exponent; the derived one is beside it."

function progress({ measured, widths, claims, backend, milliseconds }: Trained, isRunning: boolean, isStale: boolean) {
  if (claims !== null) {
    const count = (verdict: Claim["verdict"]) => claims.filter((claim) => claim.verdict === verdict).length
    const changed = isStale ? " What is chosen has changed since: train again." : ""
    return `${claims.length} exponents: ${count("agrees")} agree, ${count("contradicts")} contradict, ${count("inconclusive")} undecided. ${backend}, ${(milliseconds / 1000).toFixed(1)} s.${changed}`
  }
  return isRunning ? `Training: ${measured.length} of ${widths.length || "…"} widths.` : "Stopped."
}

/** The verdicts of a step, as `check` gives them. */
function Verdicts({ claims, step }: { readonly claims: readonly Claim[]; readonly step: number }) {
  const decimal = (value: number | null) => (value === null ? "∞" : minus(value.toFixed(2)))
  return (
    <div class="wide">
      <table class="verdicts">
        <caption>Derived and measured after step {step}; intervals are of 95 %.</caption>
        <thead>
          <tr>
            <th scope="col">exponent of</th>
            <th scope="col">derived</th>
            <th scope="col">measured</th>
            <th scope="col">interval</th>
            <th scope="col">verdict</th>
          </tr>
        </thead>
        <tbody>
          {claims
            .filter((claim) => claim.step === step)
            .map(({ quantity, derived, exponent, interval, verdict, why }) => (
              <tr key={quantity}>
                <th scope="row">{quantity}</th>
                <td>{minus(derived)}</td>
                <td>{exponent === null ? "−∞" : decimal(exponent)}</td>
                <td>{interval === null ? "" : `${decimal(interval[0])} … ${decimal(interval[1])}`}</td>
                <td class={verdict === "agrees" ? "yes" : verdict === "contradicts" ? "no" : ""} title={why}>
                  {VERDICTS[verdict]}
                </td>
              </tr>
            ))}
        </tbody>
      </table>
    </div>
  )
}

function Choice(props: {
  readonly label: string
  readonly value: string
  readonly set: (value: string) => void
  readonly options: readonly (readonly [string, ComponentChildren])[]
}) {
  return (
    <label>
      {props.label}
      <select value={props.value} onChange={({ currentTarget }) => props.set(currentTarget.value)}>
        {props.options.map(([value, words]) => (
          <option key={value} value={value}>
            {words}
          </option>
        ))}
      </select>
    </label>
  )
}

function powers(from: number, to: number): (readonly [string, string])[] {
  return Array.from({ length: to - from + 1 }, (_, i) => [String(from + i), String(2 ** (from + i))])
}

function plain(values: readonly string[]): (readonly [string, string])[] {
  return values.map((value) => [value, value])
}
