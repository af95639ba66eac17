import { useCallback, useEffect, useState } from "preact/hooks"
import { linkOf, type State, stateOf } from "./state.js"

/** Changes some of what the page shows. */
export type Change = (change: Partial<State>) => void

/** The page's state, kept in the link behind its #. */
export function useExplorer(): readonly [State, Change] {
  const [state, setState] = useState(() => stateOf(location.hash))
  useEffect(() => {
    const follow = () => setState(stateOf(location.hash))
    addEventListener("hashchange", follow)
    return () => removeEventListener("hashchange", follow)
  }, [])
  const change = useCallback(
    (change: Partial<State>) =>
      setState((before) => {
        const next = { ...before, ...change }
        history.replaceState(null, "", `#${linkOf(next)}`)
        return next
      }),
    [],
  )
  return [state, change]
}
