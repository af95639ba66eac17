/** Which rows of a table are one curve: settings that no two runs at one rate tell, copies, and sizes that are none. */
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import fc from "fast-check"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import type { TableOptions } from "../../src/cli/tableOptions.js"
import { measuredRuns } from "../../src/table/measured.js"
import { gaussians } from "../../src/train/random.js"
import { fittedText } from "./fitted.js"
import { bestRate, csv, madeRuns, WIDTHS } from "./made.js"

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pooled-"))
})
afterAll(() => rm(folder, { recursive: true }))

const fitted = (content: string, options: Partial<TableOptions> = {}) => fittedText(folder, content, options)
const HEADER = ["width", "lr", "loss"]
const NOISY = madeRuns({ noise: 0.02 })

describe("a random search over rates and a setting", () => {
  const SEARCH = ["width", "lr", "loss", "rank"]
  const draws = gaussians(11, "search", 2 * 20 * WIDTHS.length)
  const errors = gaussians(11, "noise", 20 * WIDTHS.length)
  /** At rank 64 the best rate is a tenth of that at rank 4, and the least loss larger. */
  const search = WIDTHS.flatMap((width, i) =>
    Array.from({ length: 20 }, (_, k) => {
      const [first, second] = draws.slice(2 * (20 * i + k))
      const rank = second! > 0 ? 64 : 4
      const best = bestRate(width) * (rank === 4 ? 1 : 0.1)
      const lr = best * Math.exp(1.2 * first!)
      const noise = 1e-3 * errors[20 * i + k]!
      return { width, lr, rank, loss: (rank === 4 ? 1 : 1.1) + 0.018 * Math.log(lr / best) ** 2 + noise }
    }),
  )
  const table = csv(
    SEARCH,
    search.map(({ width, lr, loss, rank }) => [width, lr, loss, rank]),
  )

  test("is not one curve a width: --by is asked for, and answers", async () => {
    await expect(fitted(table)).rejects.toThrow(/rank (4 and 64|64 and 4).*column "rank".*--by/)
    const { fits } = await fitted(table, { by: ["rank"] })
    expect(fits.map(({ group }) => group)).toEqual(["4", "64"])
    for (const { low, high } of fits) {
      expect(low!).toBeLessThan(-0.5)
      expect(high!).toBeGreaterThan(-0.5)
    }
    expect((await fitted(table, { pool: ["rank"] })).fits).toHaveLength(1)
  })

  test("what follows from the rate, is measured, or is the same at each width is no setting", async () => {
    const columns: [string, (run: (typeof search)[number], i: number) => string | number][] = [
      ["warmup", ({ lr }) => (lr < 1e-4 ? 100 : lr < 1e-3 ? 200 : 500)],
      ["log_lr", ({ lr }) => Math.log10(lr)],
      ["runtime", (_, i) => 100 + 7 * i],
      ["gpu", ({ width }) => (width > 1024 ? "H100" : "A100")],
    ]
    const rank4 = search.filter(({ rank }) => rank === 4)
    const rest = csv(
      [...HEADER, ...columns.map(([name]) => name)],
      rank4.map((run, i) => [run.width, run.lr, run.loss, ...columns.map(([, of]) => of(run, i))]),
    )
    const alone = csv(
      HEADER,
      rank4.map(({ width, lr, loss }) => [width, lr, loss]),
    )
    expect((await fitted(rest)).fits).toEqual((await fitted(alone)).fits)
  })
})

test("two families of models, each name at one width, are not one curve a width", async () => {
  const models = csv(
    ["model", ...HEADER],
    ["pythia", "opt"].flatMap((family, k) =>
      NOISY.map(({ width, lr, loss }) => [`org/${family}-${width}`, width, lr, loss + k / 3]),
    ),
  )
  await expect(fitted(models)).rejects.toThrow(/org\/pythia-256 and org\/opt-256.*column "model"/)
  const { fits } = await fitted(models, { model: "model", family: "/([a-z]+)" })
  expect(fits.map(({ group }) => group)).toEqual(["opt", "pythia"])
})

test("a run that its table says has finished counts, though others at its width went on for longer", async () => {
  const rows = (state: string) =>
    csv(
      ["State", "_step", ...HEADER],
      NOISY.map(({ width, lr, loss }, i) => [state, i % 3 === 0 ? 250 : 400, width, lr, loss]),
    )
  expect((await fitted(rows("finished"))).read).toContain("44 with a value, 4 diverged")
  expect((await fitted(rows(""))).read).toMatch(/1\d unfinished \(stopped early\)/)
})

test("copies say nothing of noise: rows given several times, whatever their seeds, are fitted as given once", async () => {
  const once = await fitted(
    csv(
      HEADER,
      NOISY.map(({ width, lr, loss }) => [width, lr, loss]),
    ),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 48, maxLength: 48 }), async (times) => {
      const copies = NOISY.flatMap(({ width, lr, loss }, i) =>
        Array.from({ length: times[i]! }, (_, seed) => [width, lr, loss, seed]),
      )
      const { fits, read } = await fitted(csv([...HEADER, "seed"], copies))
      expect(fits).toEqual(once.fits)
      if (copies.length > 100) expect(read).toMatch(/repeat another .*loss to the last digit/)
    }),
    { numRuns: 10 },
  )
})

test("one repeated run that ends otherwise makes repetitions of all", async () => {
  const rows = NOISY.map(({ width, lr, loss }) => [width, lr, loss])
  const { curves, read } = await fitted(csv(HEADER, [...rows, ...rows, [256, 1e-3, 1.0123]]))
  expect(curves.map(({ runs }) => runs)).toEqual([17, 16, 16, 16, 16, 16])
  expect(read).not.toContain("repeat another")
})

test.each([
  ["crashed", 'none with a value \\(crashed\\).*--diverged "crashed"'],
  ["", 'none with a value \\(empty\\).*--diverged "empty"'],
])("runs of which none has a value (%j) are refused", async (word, says) => {
  const rows = NOISY.map(({ width, lr }) => [width, lr, word])
  await expect(fitted(csv(HEADER, rows))).rejects.toThrow(new RegExp(`column loss: got "48 runs, ${says}`))
  if (word !== "") expect((await fitted(csv(HEADER, rows), { diverged: [word] })).fits[0]!.exponent).toBeNull()
})

test("a width of 1.024 beside 256 may be 1024: asked for, --decimal answers", async () => {
  const german = csv(
    HEADER,
    NOISY.map(({ width, lr, loss }) => [width.toLocaleString("de-DE"), lr.toExponential(0), Math.round(1e6 * loss)]),
    { separator: ";" },
  )
  await expect(fitted(german)).rejects.toThrow(/line 18, column width: got "1.024".*line 2 has 256.*--decimal comma/)
  expect((await fitted(german, { decimal: "comma" })).curves.map(({ width }) => width)).toEqual(WIDTHS)
  expect((await fitted(german, { decimal: "point" })).curves.map(({ width }) => width)).toContain(1.024)
  // In thousands all of them, or with decimals that only such a mark can part.
  const thousands = csv(
    HEADER,
    NOISY.map(({ width, lr, loss }) => [(width / 1024).toFixed(3), lr, loss]),
  )
  expect((await fitted(thousands)).curves.map(({ width }) => width)).toEqual(WIDTHS.map((n) => n / 1024))
})

describe("sizes below zero", () => {
  const runs = async (sizes: readonly number[]) => {
    const path = join(folder, "sizes.csv")
    await writeFile(
      path,
      csv(
        ["width", "value"],
        sizes.map((size, i) => [WIDTHS[i % WIDTHS.length]!, size]),
      ),
    )
    const columns = { width: "width", rate: null, value: "value", seed: "seed", by: [], model: null }
    return measuredRuns(path, { columns, rules: { at: "last", goal: "min", words: {} } })
  }

  test("are refused where all are, as logarithms, and said where some are", async () => {
    await expect(runs(WIDTHS.map((n) => -Math.log(n)))).rejects.toThrow(/line 2, column value: got "-5.5.*logarithm/)
    const { read } = await runs([1, -2, 3, 4, -5, 6])
    expect(read.join(" ")).toMatch(/2 of 6 sizes are negative \(the first: .*line 3\)/)
    expect((await runs([0, 0, 0, 0, 0, 0])).read).toEqual([])
  })
})
