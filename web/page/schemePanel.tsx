import type { Catalogue } from "../messages.js"
import type { State } from "./state.js"
import type { Change } from "./useExplorer.js"

const MODELS: readonly (readonly [string, string])[] = [
  ["", "one adapted layer"],
  ["teacher-student", "the paper's teacher-student network"],
  ["llama-block", "a block as in Llama (seconds)"],
  ["bert-block", "a block as in BERT (seconds)"],
]

/** Which scheme: chosen of the catalogue, or written. */
export function SchemePanel({
  state,
  change,
  catalogue,
  mistake,
}: {
  readonly state: State
  readonly change: Change
  readonly catalogue: Catalogue | null
  /** The line of one's own scheme that is refused, from 1. */
  readonly mistake: number | null
}) {
  const { scheme, model, optimiser, text } = state
  const schemes = catalogue?.schemes ?? []
  const isOnModels = schemes.find(({ name }) => name === scheme)?.onModels ?? false
  const another = { x: null, y: null, point: {} }
  return (
    <div class="scheme">
      <label>
        Scheme
        <select
          value={scheme ?? ""}
          onChange={({ currentTarget: { value } }) =>
            change({ scheme: value === "" ? null : value, model: "", ...another })
          }
        >
          <option value="">Write my own …</option>
          {schemes.length === 0 && scheme !== null && <option value={scheme}>{scheme}</option>}
          {schemes.map(({ name, title }) => (
            <option key={name} value={name}>
              {name}: {title}
            </option>
          ))}
        </select>
      </label>
      {scheme === null && (
        <label>
          My scheme, in YAML or JSON
          <textarea
            rows={9}
            spellcheck={false}
            autocapitalize="off"
            value={text}
            aria-describedby="refusal"
            aria-invalid={mistake !== null}
            style={mistake === null ? undefined : { "--line-above": mistake - 1 }}
            onInput={({ currentTarget: { value } }) => change({ text: value })}
          />
        </label>
      )}
      {isOnModels && (
        <label>
          On
          <select value={model} onChange={({ currentTarget: { value } }) => change({ model: value, ...another })}>
            {MODELS.map(([name, words]) => (
              <option key={name} value={name}>
                {words}
              </option>
            ))}
          </select>
        </label>
      )}
      <label>
        Optimiser
        <select value={optimiser} onChange={({ currentTarget: { value } }) => change({ optimiser: value })}>
          <option value="">the scheme's own</option>
          {optimiser !== "" && catalogue === null && <option value={optimiser}>{optimiser}</option>}
          {catalogue?.optimisers.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
    </div>
  )
}
