import { useState } from "preact/hooks"
import type { Diagram, SymbolInfo } from "../messages.js"
import { Copied } from "./copied.js"
import { DiagramView } from "./diagramView.js"
import { numberOf } from "./numbers.js"
import { RateView } from "./rateView.js"
import { Refused } from "./refused.js"
import { SchemePanel } from "./schemePanel.js"
import { linkOf, VIEWS, type View } from "./state.js"
import { SymbolControls } from "./symbolControls.js"
import { TrainView } from "./trainView.js"
import { useAnswer } from "./useAnswer.js"
import { useExplorer } from "./useExplorer.js"

const TITLES: Readonly<Record<View, string>> = { diagram: "Phase diagram", train: "Train it", rate: "Move a rate" }

/** The whole page: what is chosen on the left, what follows from it on the right. */
export function Explorer() {
  const [state, change] = useExplorer()
  const [hovered, setHovered] = useState<Readonly<Record<string, string>> | null>(null)
  const catalogue = useAnswer("catalogue", null).answer
  const { view, scheme, model, text, optimiser, level, x, y, point } = state
  const name = scheme === null || model === "" ? scheme : `${model}/${scheme}`
  const own = { name, text, optimiser }
  const asked = { ...own, level, axes: [x, y] as const, point: { ...point, ...hovered } }
  const seen = useAnswer("diagram", asked, view !== "rate")
  const here = withValues(seen.answer, { ...point, ...hovered })
  const fixed = Object.fromEntries(
    (seen.answer?.symbols ?? []).flatMap(({ name, value }) =>
      seen.answer!.axes.some((axis) => axis?.name === name) ? [] : [[name, value]],
    ),
  )
  const move = (moved: Readonly<Record<string, string>>) => {
    setHovered(null)
    change({ point: { ...point, ...moved } })
  }
  return (
    <>
      <button type="button" class="skip" onClick={() => document.getElementById("main")?.focus()}>
        Skip to the result
      </button>
      <header>
        <h1>
          LoRA scaling <span>explorer</span>
        </h1>
        <nav aria-label="Views">
          {VIEWS.map((other) => (
            <a
              key={other}
              href={`#${linkOf({ ...state, view: other })}`}
              aria-current={other === view ? "page" : undefined}
              onClick={(event) => {
                event.preventDefault()
                change({ view: other })
              }}
            >
              {TITLES[other]}
            </a>
          ))}
        </nav>
        <Copied text={() => location.href} what="link" />
      </header>
      {view === "rate" ? (
        <main id="main" tabIndex={-1} class="alone">
          <RateView state={state} change={change} catalogue={catalogue} />
        </main>
      ) : (
        <div class="columns">
          <aside aria-label="Scheme and point">
            <SchemePanel state={state} change={change} catalogue={catalogue} mistake={seen.refusal?.line ?? null} />
            {here !== null && (
              <SymbolControls
                symbols={here.symbols}
                axes={view === "diagram" ? here.axes.flatMap((axis) => axis?.name ?? []) : []}
                move={move}
              />
            )}
          </aside>
          <main id="main" tabIndex={-1}>
            <Refused refusal={seen.refusal} />
            {here === null ? (
              seen.refusal === null && <p class="waiting">Deriving …</p>
            ) : view === "diagram" ? (
              <DiagramView
                state={state}
                change={change}
                asked={{ ...asked, point: fixed }}
                diagram={here}
                answered={seen.answer!}
                isBusy={seen.pending}
                hover={setHovered}
                move={move}
              />
            ) : (
              <TrainView state={state} change={change} scheme={own} diagram={here} />
            )}
          </main>
        </div>
      )}
    </>
  )
}

/** The answer with the values that the page has by now: a point moves at once, what is derived of it follows. */
function withValues(diagram: Diagram | null, point: Readonly<Record<string, string>>): Diagram | null {
  if (diagram === null) return null
  const moved = (symbol: SymbolInfo): SymbolInfo => {
    const value = point[symbol.name]
    return value === undefined || Number.isNaN(numberOf(value)) ? symbol : { ...symbol, value }
  }
  const [x, y] = diagram.axes
  return { ...diagram, symbols: diagram.symbols.map(moved), axes: [moved(x), y && moved(y)] }
}
