import { DiagramView } from "./diagramView.js"
import { SchemePanel } from "./schemePanel.js"
import { linkOf, VIEWS, type View } from "./state.js"
import { useAnswer } from "./useAnswer.js"
import { useExplorer } from "./useExplorer.js"

const TITLES: Readonly<Record<View, string>> = { diagram: "Phase diagram" }

/** The whole page: what is chosen on the left, what follows from it on the right. */
export function Explorer() {
  const [state, change] = useExplorer()
  const catalogue = useAnswer("catalogue", null).answer
  const { scheme, model, text, optimiser, level, x, y, point } = state
  const name = scheme === null || model === "" ? scheme : `${model}/${scheme}`
  const asked = { name, text, optimiser, level, axes: [x, y] as const, point }
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
          {VIEWS.map((view) => (
            <a
              key={view}
              href={`#${linkOf({ ...state, view })}`}
              aria-current={view === state.view ? "page" : undefined}
              onClick={(event) => {
                event.preventDefault()
                change({ view })
              }}
            >
              {TITLES[view]}
            </a>
          ))}
        </nav>
      </header>
      <div class="columns">
        <SchemePanel state={state} change={change} catalogue={catalogue} />
        <main id="main" tabIndex={-1}>
          <DiagramView state={state} change={change} asked={asked} />
        </main>
      </div>
    </>
  )
}
