import type { Catalogue, SchemeAsked, Transferred } from "../messages.js"
import { Copied } from "./copied.js"
import { JsonLink } from "./jsonLink.js"
import { Refused } from "./refused.js"
import type { State } from "./state.js"
import { useAnswer } from "./useAnswer.js"
import type { Change } from "./useExplorer.js"

/** What the calculator's fields hold at first. */
const USUAL = { scheme: "init-a", lr: "2e-4", fromWidth: "4096", toWidth: "8192", level: "features" }

/** The fields, before and after; a field left empty is not said. */
const SIZES = [
  { from: "fromWidth", to: "toWidth", words: "Width of the layer", hint: "hidden_size: 4096 in a 7B model" },
  { from: "fromRank", to: "toRank", words: "Rank r", hint: "as held if empty" },
  { from: "fromAlpha", to: "toAlpha", words: "lora_alpha", hint: "alpha/r stays if empty" },
  { from: "fromRatio", to: "toRatio", words: "Rate of B over that of A", hint: "LoRA+'s ratio; 1 if empty" },
  { from: "fromInputWidth", to: "toInputWidth", words: "Input width", hint: "the width if empty" },
] as const

interface Props {
  readonly state: State
  readonly change: Change
  readonly catalogue: Catalogue | null
}

/** "My rate at my width, to that width": the question of `transfer`, and its answer. */
export function RateView({ state, change, catalogue }: Props) {
  const typed: Readonly<Record<string, string>> = { ...USUAL, ...state.rate }
  const set = (name: string) => (value: string) => change({ rate: { ...state.rate, [name]: value } })
  const scheme = (name: string, optimiser: string): SchemeAsked => ({
    name: name === OWN ? null : name,
    text: state.text,
    optimiser,
  })
  const { toScheme = "", optimiser = "", toOptimiser = "" } = typed
  const isOther = toScheme !== "" || toOptimiser !== ""
  const given = Object.fromEntries(FIELDS.flatMap((name) => (typed[name]?.trim() ? [[name, typed[name].trim()]] : [])))
  const seen = useAnswer("transfer", {
    from: scheme(typed.scheme!, optimiser),
    to: isOther ? scheme(toScheme || typed.scheme!, toOptimiser || optimiser) : null,
    question: {
      lr: typed.lr!,
      level: typed.level!,
      fromWidth: typed.fromWidth!,
      ...given,
      peft: Boolean(given.fromAlpha && given.fromRank),
    },
  })
  return (
    <div class="rate">
      <form aria-label="The rate that you have, and where it is to go" onSubmit={(event) => event.preventDefault()}>
        <Field label="A good learning rate" value={typed.lr!} set={set("lr")} hint="with a ratio, that of A" />
        <table class="sizes">
          <thead>
            <tr>
              <td />
              <th scope="col">where it is good</th>
              <th scope="col">where it is to go</th>
            </tr>
          </thead>
          <tbody>
            {SIZES.map(({ from, to, words, hint }) => (
              <tr key={from}>
                <th scope="row">
                  {words}
                  <small>{hint}</small>
                </th>
                {[from, to].map((name, i) => (
                  <td key={name}>
                    <input
                      type="text"
                      inputMode="decimal"
                      aria-label={`${words}, ${i === 0 ? "where the rate is good" : "where it is to go"}`}
                      value={typed[name] ?? ""}
                      onInput={({ currentTarget }) => set(name)(currentTarget.value)}
                    />
                  </td>
                ))}
              </tr>
            ))}
            <tr>
              <th scope="row">Scheme</th>
              <td>
                <Schemes label="Scheme" value={typed.scheme!} set={set("scheme")} catalogue={catalogue} same={null} />
              </td>
              <td>
                <Schemes
                  label="Scheme to go to"
                  value={toScheme}
                  set={set("toScheme")}
                  catalogue={catalogue}
                  same="the same"
                />
              </td>
            </tr>
            <tr>
              <th scope="row">Optimiser</th>
              <td>
                <Names
                  label="Optimiser"
                  value={optimiser}
                  set={set("optimiser")}
                  names={catalogue?.optimisers ?? []}
                  first="the scheme's own"
                />
              </td>
              <td>
                <Names
                  label="Optimiser to go to"
                  value={toOptimiser}
                  set={set("toOptimiser")}
                  names={catalogue?.optimisers ?? []}
                  first="the same"
                />
              </td>
            </tr>
          </tbody>
        </table>
        <details open={Boolean(typed.held ?? typed.failed ?? typed.convention)}>
          <summary>What you know besides</summary>
          <Field
            label="A rate that trained stably there"
            value={typed.held ?? ""}
            set={set("held")}
            hint="where the rate is good"
          />
          <Field label="A rate that diverged there" value={typed.failed ?? ""} set={set("failed")} hint="" />
          <div class="field">
            What B A is multiplied by
            <Names
              label="What B A is multiplied by"
              value={typed.convention ?? ""}
              set={set("convention")}
              names={["alpha/r", "alpha/sqrt(r)", "none"]}
              first="the scheme's, or alpha/r"
            />
          </div>
          <div class="field">
            What is kept bounded
            <Names
              label="What is kept bounded"
              value={typed.level!}
              set={set("level")}
              names={["features", "output"]}
              first={null}
            />
          </div>
        </details>
      </form>
      <div class="answer" aria-live="polite" aria-busy={seen.pending}>
        <Refused refusal={seen.refusal} />
        {seen.refusal === null && seen.answer !== null && <Answer transferred={seen.answer} />}
      </div>
    </div>
  )
}

/** A value of the scheme's choice that no scheme is called. */
const OWN = "(my own)"

const FIELDS = [...SIZES.flatMap(({ from, to }) => [from, to]), "convention", "held", "failed"] as const

function Answer({ transferred: { json, command } }: { readonly transferred: Transferred }) {
  const { says, why, unknown, held } = json.answer
  return (
    <>
      <h2 class="says">{says}</h2>
      <Part title="Why" texts={why} />
      <Part title="What this does not know" texts={unknown} />
      <Part title="Held fixed" texts={held} />
      <Part title={`Regime: ${json.regime.kind}`} texts={json.regime.says} />
      <details>
        <summary>What is assumed ({json.assumptions.length})</summary>
        <ul>
          {json.assumptions.map((text) => (
            <li key={text}>{text}</li>
          ))}
        </ul>
      </details>
      {json.peft !== null && (
        <>
          <h3>With PEFT</h3>
          <pre>{json.peft}</pre>
          <Copied text={json.peft} what="Python" />
        </>
      )}
      <p class="command">
        The same on the command line: <code>{command}</code> <Copied text={command} what="command" />{" "}
        <JsonLink name="transfer" value={json} />
      </p>
    </>
  )
}

function Part({ title, texts }: { readonly title: string; readonly texts: readonly string[] }) {
  if (texts.length === 0) return null
  return (
    <section>
      <h3>{title}</h3>
      <ul>
        {texts.map((text) => (
          <li key={text}>{text}</li>
        ))}
      </ul>
    </section>
  )
}

interface FieldProps {
  readonly label: string
  readonly value: string
  readonly set: (value: string) => void
}

function Field({ label, value, set, hint }: FieldProps & { readonly hint: string }) {
  return (
    <label>
      {label} <small>{hint}</small>
      <input type="text" inputMode="decimal" value={value} onInput={({ currentTarget }) => set(currentTarget.value)} />
    </label>
  )
}

function Names({
  label,
  value,
  set,
  names,
  first,
}: FieldProps & { readonly names: readonly string[]; readonly first: string | null }) {
  return (
    <select aria-label={label} value={value} onChange={({ currentTarget }) => set(currentTarget.value)}>
      {first !== null && <option value="">{first}</option>}
      {value !== "" && !names.includes(value) && <option value={value}>{value}</option>}
      {names.map((name) => (
        <option key={name} value={name}>
          {name}
        </option>
      ))}
    </select>
  )
}

function Schemes({
  label,
  value,
  set,
  catalogue,
  same,
}: FieldProps & { readonly catalogue: Catalogue | null; readonly same: string | null }) {
  const names = (catalogue?.schemes ?? []).map(({ name }) => name)
  return <Names label={label} value={value} set={set} names={[...names, OWN]} first={same} />
}
