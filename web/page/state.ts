/** All that the page shows, as a link can say it. */
import type { SetName } from "../messages.js"
import { SETS } from "../messages.js"

/** The parts of the page, one of which is seen. */
export const VIEWS = ["diagram", "train", "rate"] as const
export type View = (typeof VIEWS)[number]

/** What the page shows; texts are as typed. */
export interface State {
  readonly view: View
  /** A name of the catalogue, or null for one's own. */
  readonly scheme: string | null
  /** The model that the scheme is put on; empty for its own. */
  readonly model: string
  readonly text: string
  readonly optimiser: string
  readonly level: "features" | "output"
  /** The axes' symbols; null: the scheme's first two, and "" as the second: none. */
  readonly x: string | null
  readonly y: string | null
  readonly sets: readonly SetName[]
  /** The statement or quantity whose origin is told; empty for none. */
  readonly why: string
  readonly point: Readonly<Record<string, string>>
  /** Fields of the training and of the calculator that differ from what they are at first. */
  readonly train: Readonly<Record<string, string>>
  readonly rate: Readonly<Record<string, string>>
}

/** What the editor holds at first: a scheme that the catalogue has not. */
const EXAMPLE = `# A random, B zero; B learns n^(1/2) times as fast as A
name: mine
start: { A: { exponent: -1/2 }, B: zero }
rates: { A: cA, B: cB + 1/2 }
optimiser: adam
example: { cA: -3/4, cB: -3/4 }
`

/** What is seen without a link. */
const FIRST: State = {
  view: "diagram",
  scheme: "lora-plus",
  model: "",
  text: EXAMPLE,
  optimiser: "",
  level: "features",
  x: null,
  y: null,
  sets: ["stable", "efficient"],
  why: "stable",
  point: {},
  train: {},
  rate: {},
}

/** The state as the part of a link behind its #; what is as at first is left out. */
export function linkOf(state: State): string {
  const words = new URLSearchParams()
  const put = (name: string, value: string, first: string) => value !== first && words.set(name, value)
  put("view", state.view, FIRST.view)
  if (state.scheme === null) words.set("text", state.text)
  else put("scheme", state.scheme, FIRST.scheme!)
  put("model", state.model, "")
  put("optimiser", state.optimiser, "")
  put("level", state.level, FIRST.level)
  if (state.x !== null) words.set("x", state.x)
  if (state.y !== null) words.set("y", state.y)
  put("sets", state.sets.join("."), FIRST.sets.join("."))
  put("why", state.why, FIRST.why)
  for (const group of ["point", "train", "rate"] as const)
    for (const [name, value] of Object.entries(state[group])) words.set(`${group}.${name}`, value)
  return words.toString()
}

/** The state that a link says; what it does not say, or says in words that are not known, is as at first. */
export function stateOf(link: string): State {
  const words = new URLSearchParams(link.replace(/^#/, ""))
  const text = words.get("text")
  const group = (name: string) =>
    Object.fromEntries(
      [...words].flatMap(([key, value]) => (key.startsWith(`${name}.`) ? [[key.slice(name.length + 1), value]] : [])),
    )
  const sets = words.get("sets")?.split(".")
  return {
    ...FIRST,
    view: VIEWS.find((view) => view === words.get("view")) ?? FIRST.view,
    scheme: text === null ? (words.get("scheme") ?? FIRST.scheme) : null,
    text: text ?? FIRST.text,
    model: words.get("model") ?? "",
    optimiser: words.get("optimiser") ?? "",
    level: words.get("level") === "output" ? "output" : "features",
    x: words.get("x"),
    y: words.get("y"),
    sets: sets === undefined ? FIRST.sets : SETS.filter((name) => sets.includes(name)),
    why: words.get("why") ?? FIRST.why,
    point: group("point"),
    train: group("train"),
    rate: group("rate"),
  }
}
