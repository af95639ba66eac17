import { execFileSync } from "node:child_process"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import fc from "fast-check"
import { PNG } from "pngjs"
import { describe, expect, test } from "vitest"
import { renderFigure } from "../../src/report/figure.js"
import { logChannel, powerLabel } from "../../src/report/figures/axes.js"
import { spreadLabels } from "../../src/report/figures/labels.js"
import { isInstalled } from "../isInstalled.js"
import { EXAMPLES } from "./examples.js"
import { largestDifference } from "./pictures.js"

const drawn = Object.fromEntries(
  await Promise.all(Object.entries(EXAMPLES).map(async ([name, spec]) => [name, await renderFigure(spec)] as const)),
)

/** What every figure of its kind must say. */
const LABELS: Readonly<Record<string, readonly string[]>> = {
  rates: ["width n", "learning rate η", "output level", "n^(−1)", "Init[A]", "2¹⁰", "10⁻³"],
  trajectory: ["training step t", "root mean square", "|Z_A| at n = 2048", "Init[B]"],
  loss: ["final training loss", "learning rate η", "n = 2048", "10⁻³"],
  exponents: ["derived exponent of n", "measured exponent of n", "measured = derived", "contradicts"],
  coordinates: ["width n", "root mean square", "n^(−1/2)", "constant"],
  advantage: ["learning rate η", "loss of Init[A] / loss of Init[B]", "n = 128"],
  "local-slopes": ["width n", "slope less derived", "init-b/c=-1", "zB"],
  layers: ["layer", "exponent of Z_A", "3 adapted layers", "Init[B]"],
  sites: ["site", "exponent of Z_A", "BERT's block", "Init[B]", "down"],
  rank: ["ρ, exponent of the rank", "c, exponent of the rate", "α/r, all t"],
  "rate-plane": ["cA, exponent of A's rate", "cB, exponent of B's rate", "stable", "exponent"],
}

describe.each(Object.keys(EXAMPLES))("%s", (name) => {
  const { svg, png, pdf } = drawn[name]!

  test("is the kept copy", async () => {
    const rounded = svg.replace(/\d+\.\d+/g, (number) => String(Number(Number(number).toFixed(2))))
    await expect(rounded.replaceAll("><", ">\n<")).toMatchFileSnapshot(`figures/${name}.svg`)
  })

  test("says what its axes and curves are", () => {
    const text = svg.replaceAll("&lt;", "<")
    for (const label of LABELS[name]!) expect(text).toContain(`>${label}<`)
    expect(svg).not.toContain("NaN")
  })

  test.skipIf(!isInstalled("pdftoppm", "-v"))("looks the same as PDF and as PNG", async () => {
    const place = await mkdtemp(join(tmpdir(), "figure-"))
    try {
      await writeFile(join(place, "figure.pdf"), pdf)
      // Two dots a point, as in the PNG.
      execFileSync("pdftoppm", ["-r", "144", "-png", "-singlefile", "figure.pdf", "figure"], { cwd: place })
      const [one, other] = [png, await readFile(join(place, "figure.png"))].map((data) =>
        PNG.sync.read(Buffer.from(data)),
      )
      expect(Math.abs(one!.width - other!.width) + Math.abs(one!.height - other!.height)).toBeLessThanOrEqual(2)
      expect(largestDifference(one!, other!)).toBeLessThan(BOUND)
    } finally {
      await rm(place, { recursive: true })
    }
  })
})

/** A text that is missing or elsewhere differs by 0.15 and more. */
const BOUND = 0.08

describe("logarithmic axes", () => {
  const positive = fc.double({ min: 1e-12, max: 1e12, noNaN: true })

  test("hold every value, with two to ten ticks that are labelled", () => {
    fc.assert(
      fc.property(
        fc.array(positive, { minLength: 1, maxLength: 9 }),
        fc.constantFrom(2 as const, 10 as const),
        (values, base) => {
          const { scale, axis } = logChannel("size", values, base)
          const [low, high] = scale.domain
          for (const value of values) expect(value).toSatisfy((v: number) => low < v && v < high)
          const ticks = axis.values as number[]
          expect(ticks.length).toBeLessThanOrEqual(10)
          for (const tick of ticks) {
            expect(tick).toSatisfy((v: number) => low <= v && v <= high)
            expect(axis.labelExpr).toContain(`"${tick}":`)
          }
        },
      ),
    )
  })

  test("write powers", () => {
    const { axis } = logChannel("size", [1e-4, 1e-2])
    expect(axis.labelExpr).toBe('{"0.0001":"10⁻⁴","0.001":"10⁻³","0.01":"10⁻²"}[datum.value]')
    expect(["0", "1", "-1/2"].map((e) => powerLabel("n", e))).toEqual(["constant", "n", "n^(−1/2)"])
  })
})

test("labels beside a panel keep their order and a line's distance, and stay in the panel while there is room", () => {
  const y = logChannel("size", [1e-3, 1e3])
  const height = 300
  const pixels = (value: number) =>
    (height * Math.log(value / y.scale.domain[0])) / Math.log(y.scale.domain[1] / y.scale.domain[0])
  fc.assert(
    fc.property(fc.array(fc.double({ min: 1e-3, max: 1e3, noNaN: true }), { maxLength: 12 }), (values) => {
      const spread = spreadLabels(
        values.map((value, i) => ({ text: String(i), y: value })),
        y,
        height,
      )
      const places = spread.map((label) => pixels(label.y))
      for (let i = 1; i < spread.length; i++) {
        expect(places[i]! - places[i - 1]!).toBeGreaterThan(12.99)
        expect(values[Number(spread[i]!.text)]!).toBeGreaterThanOrEqual(values[Number(spread[i - 1]!.text)]!)
      }
      for (const place of places) expect(place).toSatisfy((p: number) => p > -0.01 && p < height + 0.01)
    }),
  )
})
