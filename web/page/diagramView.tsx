import { useState } from "preact/hooks"
import { type DerivationAsked, type Diagram, SETS, type SetName } from "../messages.js"
import { Copied } from "./copied.js"
import { ExponentChart } from "./exponentChart.js"
import { JsonLink } from "./jsonLink.js"
import { readable } from "./numbers.js"
import { PhasePlane } from "./phasePlane.js"
import { Reading } from "./reading.js"
import { SET_WORDS } from "./setWords.js"
import type { State } from "./state.js"
import type { Change } from "./useExplorer.js"
import { Why } from "./why.js"

interface Props {
  readonly state: State
  readonly change: Change
  readonly asked: DerivationAsked
  readonly diagram: Diagram
  /** As it was answered: a point and what is read there belong together. */
  readonly answered: Diagram
  readonly isBusy: boolean
  readonly hover: (point: Readonly<Record<string, string>> | null) => void
  readonly move: (point: Readonly<Record<string, string>>) => void
}

/** A scheme's phase diagram, what holds at the point, and why. */
export function DiagramView({ state, change, asked, diagram, answered, isBusy, hover, move }: Props) {
  const [claim, setClaim] = useState("")
  const [, y] = diagram.axes
  return (
    <div class="diagram" aria-busy={isBusy}>
      <div class="drawing">
        <div class="heading">
          <h2>{diagram.title}</h2>
          <p class="took">
            {diagram.json.optimiser}; derived in {Math.max(1, Math.round(diagram.milliseconds))} ms
          </p>
        </div>
        <Sets diagram={diagram} sets={state.sets} change={change} />
        {y === null ? (
          <ExponentChart diagram={diagram} sets={state.sets} hover={hover} move={move} />
        ) : (
          <PhasePlane diagram={diagram} y={y} sets={state.sets} claim={claim} hover={hover} move={move} />
        )}
        <AxisChoice diagram={diagram} change={change} />
      </div>
      <div class="beside">
        <Reading diagram={answered} />
        <Statements diagram={diagram} state={state} change={change} />
      </div>
      <div class="below">
        <Why asked={asked} of={state.why} show={setClaim} />
        <details>
          <summary>
            The phase diagram as a table: {diagram.json.regions.length}{" "}
            {diagram.json.regions.length === 1 ? "region" : "regions"}
          </summary>
          <Regions diagram={diagram} />
        </details>
        <details>
          <summary>What is assumed ({diagram.json.assumptions.length})</summary>
          <ul class="assumptions">
            {diagram.json.assumptions.map((text) => (
              <li key={text}>{text}</li>
            ))}
          </ul>
        </details>
        <p class="command">
          The same on the command line: <code>{diagram.command}</code> <Copied text={diagram.command} what="command" />{" "}
          <JsonLink name={diagram.name} value={diagram.json} />
        </p>
      </div>
    </div>
  )
}

/** The legend is what switches sets on and off. */
function Sets({
  diagram,
  sets,
  change,
}: {
  readonly diagram: Diagram
  readonly sets: readonly SetName[]
  readonly change: Change
}) {
  return (
    <fieldset class="sets">
      <legend>Draw where it is</legend>
      {SETS.filter((name) => diagram.sets[name] !== null).map((name) => (
        <label key={name} title={SET_WORDS[name].says}>
          <input
            type="checkbox"
            checked={sets.includes(name)}
            onChange={({ currentTarget: { checked } }) =>
              change({ sets: SETS.filter((other) => (other === name ? checked : sets.includes(other))) })
            }
          />
          <svg class="swatch" viewBox="0 0 28 16" aria-hidden="true">
            <rect class={`set ${name}`} width="28" height="16" />
            <path class={`edge ${name}`} d="M0,15H28" />
          </svg>
          {SET_WORDS[name].short}
        </label>
      ))}
    </fieldset>
  )
}

function AxisChoice({ diagram, change }: { readonly diagram: Diagram; readonly change: Change }) {
  const [x, y] = diagram.axes
  const choice = (label: string, value: string, set: (name: string) => void, none: boolean) => (
    <label>
      {label}
      <select value={value} onChange={({ currentTarget }) => set(currentTarget.value)}>
        {none && <option value="">nothing: exponents as lines</option>}
        {diagram.symbols.map(({ name, words }) => (
          <option key={name} value={name}>
            {name}, {words}
          </option>
        ))}
      </select>
    </label>
  )
  return (
    <div class="axis-choice">
      {choice("Across", x.name, (name) => change({ x: name, y: name === y?.name ? x.name : (y?.name ?? "") }), false)}
      {choice(
        "Upwards",
        y?.name ?? "",
        (name) => change({ y: name, x: name === x.name ? (y?.name ?? null) : x.name }),
        true,
      )}
    </div>
  )
}

function Statements({
  diagram: { json, reading },
  state,
  change,
}: {
  readonly diagram: Diagram
  readonly state: State
  readonly change: Change
}) {
  return (
    <section aria-labelledby="statements">
      <h3 id="statements">What holds, for all t</h3>
      <table class="statements">
        <thead>
          <tr>
            <th scope="col">statement</th>
            <th scope="col">exactly where</th>
            <th scope="col">at the point</th>
            <th scope="col">why</th>
          </tr>
        </thead>
        <tbody>
          {SETS.map((name) => {
            const condition = json[name]
            if (condition === null) return null
            const holds = reading.holds[name]
            return (
              <tr key={name}>
                <th scope="row" title={SET_WORDS[name].says}>
                  {SET_WORDS[name].short}
                </th>
                <td>
                  <code>{readable(condition)}</code>
                </td>
                <td class={holds ? "yes" : "no"}>{holds ? "✓ holds" : "✗ does not"}</td>
                <td>
                  <button
                    type="button"
                    aria-pressed={state.why === name}
                    onClick={() => change({ why: state.why === name ? "" : name })}
                  >
                    why<span class="hidden"> {SET_WORDS[name].short}</span>
                  </button>
                </td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </section>
  )
}

function Regions({ diagram: { json } }: { readonly diagram: Diagram }) {
  const names = Object.keys(json.quantities)
  return (
    <div class="wide">
      <table>
        <thead>
          <tr>
            <th scope="col">where</th>
            {names.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {json.regions.map(({ where, limits }) => (
            <tr key={where}>
              <th scope="row">
                <code>{readable(where)}</code>
              </th>
              {names.map((name) => (
                <td key={name}>
                  <code>{readable(limits[name] ?? "")}</code>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
