import type { TopLevelSpec } from "vega-lite"

/** Side by side, so many in a row; each panel has axes of its own. */
export function panels(specs: readonly object[], columns: number): TopLevelSpec {
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    concat: specs,
    columns,
    spacing: 24,
    resolve: { scale: { color: "shared", shape: "shared", strokeDash: "shared" } },
  } as unknown as TopLevelSpec
}

/** Values without repetition, in the order of their first place. */
export function distinct<T>(values: Iterable<T>): T[] {
  return [...new Set(values)]
}
