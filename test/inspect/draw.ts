/**
 * Draws the pictures of docs/doctor, healthy beside sick, and the runs of examples/runs, from made-up adapters:
 * npx tsx test/inspect/draw.ts
 */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { TopLevelSpec } from "vega-lite"
import { openCheckpoint } from "../../src/checkpoint/open.js"
import { type MeasuredModule, type MeasuredRun, measureRun } from "../../src/inspect/measureRun.js"
import { readRuns } from "../../src/inspect/run.js"
import { renderFigure } from "../../src/report/figure.js"
import { float32, safetensors } from "../checkpoint/write.js"
import { generator, type Made, train, usual, type Writing, write } from "./made.js"

const root = fileURLToPath(new URL("../../", import.meta.url))
const folder = await mkdtemp(join(tmpdir(), "draw-"))
let count = 0

async function measured(
  made: Partial<Made> = {},
  writing: Writing = {},
  base: string | null = null,
): Promise<MeasuredRun> {
  const [run] = await readRuns(await write(join(folder, `${count++}`), train({ ...usual, ...made }), writing))
  const model = base === null ? null : await openCheckpoint(base)
  const result = await measureRun(run!, model)
  await model?.close()
  return result
}

interface Bar {
  readonly x: string | number
  readonly y: number
  readonly series?: string
}

/** Two panels with one axis: what a healthy run shows, and a sick one. */
async function picture(
  id: string,
  x: string,
  y: string,
  panels: Readonly<Record<"healthy" | "sick", readonly Bar[]>>,
  { log = false, threshold = null as number | null, mark = "bar" as "bar" | "line" | "point" } = {},
): Promise<void> {
  const all = Object.values(panels).flat()
  const positive = all.map(({ y }) => y).filter((value) => value > 0)
  const least = Math.min(...positive, threshold ?? Number.POSITIVE_INFINITY)
  const most = Math.max(...positive, threshold ?? 0)
  const scale = log ? { type: "log", domain: [least / 1.5, most * 1.5] } : { domain: [0, most * 1.1], zero: true }
  const labels = [...new Set(all.map((bar) => bar.x))]
  const numbers = labels.every((label) => typeof label === "number")
  const panel = (title: string, values: readonly Bar[]) => ({
    title,
    width: 250,
    height: 170,
    layer: [
      {
        data: { values: values.filter((bar) => !log || bar.y > 0) },
        mark:
          mark === "bar"
            ? { type: "bar", width: { band: 0.7 } }
            : { type: mark, strokeWidth: 1.5, filled: mark === "point", point: mark === "line" ? { size: 14 } : false },
        encoding: {
          x: {
            field: "x",
            type: numbers && mark !== "bar" ? "quantitative" : "ordinal",
            sort: labels,
            title: x,
            axis: { labelAngle: numbers ? 0 : -30 },
          },
          y: { field: "y", type: "quantitative", title: y, scale, ...(mark === "bar" && log ? { stack: null } : {}) },
          ...(mark === "bar" && log ? { y2: { datum: least / 1.5 } } : {}),
          color: {
            field: "series",
            type: "nominal",
            title: null,
            legend: values.some(({ series }) => series !== undefined) ? { orient: "bottom" } : null,
          },
        },
      },
      ...(threshold === null
        ? []
        : [
            {
              data: { values: [{ t: threshold }] },
              mark: { type: "rule", strokeDash: [5, 4], color: "#a33b00" },
              encoding: { y: { field: "t", type: "quantitative" } },
            },
          ]),
    ],
  })
  const spec = {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    hconcat: Object.entries(panels).map(([title, values]) => panel(title, values)),
    spacing: 30,
  } as unknown as TopLevelSpec
  await writeFile(join(root, "docs/doctor", `${id}.svg`), (await renderFigure(spec)).svg)
}

const short = ({ name }: MeasuredModule) => name.replace(/model\.layers\.(\d+)\.self_attn\.(.).*/, "$1$2")
const norm = (values: readonly number[]) => Math.hypot(...values)
const at = ({ run }: MeasuredRun, i: number) => run.checkpoints[i]!.step ?? i
const product = ({ modules }: MeasuredRun, i: number) => norm(modules.map(({ points }) => norm(points[i]!.spectrum)))

const healthy = await measured()

const spectrumBars = ({ modules }: MeasuredRun, point: number): Bar[] =>
  (["a", "b"] as const).flatMap((factor) =>
    modules[0]!.points.at(point)![factor].spectrum.map((y, i) => ({ x: i + 1, y, series: factor.toUpperCase() })),
  )
const [initA, initB] = [
  await measured({ width: 128, layers: 1 }),
  await measured({ width: 128, layers: 1, start: "B random", rate: 0.001 }),
]
await picture(
  "start",
  "singular value",
  "size at the last checkpoint",
  { healthy: spectrumBars(initA, -1), sick: spectrumBars(initB, -1) },
  { log: true, mark: "point" },
)

const zeroed = await measured({ after: (factors, name) => void (name.includes(".3.self_attn.v") && factors.b.fill(0)) })
const sizes = (of: MeasuredRun): Bar[] =>
  of.modules.map((module) => ({ x: short(module), y: norm(module.points.at(-1)!.spectrum) }))
await picture("never-trained", "module", "‖BA‖", { healthy: sizes(healthy), sick: sizes(zeroed) })

const terms = ({ modules, run }: MeasuredRun): Bar[] =>
  run.checkpoints.slice(1).flatMap(({ step }, i) =>
    (
      [
        ["BΔA", "byA"],
        ["ΔBA", "byB"],
      ] as const
    ).map(([series, which]) => ({
      x: step!,
      y: norm(modules.map(({ intervals }) => intervals[i]!.operators[which])),
      series,
    })),
  )
const wide = { width: 256, layers: 1, rate: 0.001 }
await picture(
  "undertrained-factor",
  "step",
  "size of the term",
  {
    healthy: terms(await measured({ ...wide, rate: 0.004 })),
    sick: terms(await measured({ ...wide, start: "B random" })),
  },
  { log: true, mark: "line" },
)

const still = ({ modules, run }: MeasuredRun): Bar[] =>
  run.checkpoints.slice(1).flatMap(({ step }, i) =>
    (["a", "b"] as const).map((factor) => ({
      x: step!,
      y: modules[0]!.intervals[i]![factor].unchanged,
      series: factor.toUpperCase(),
    })),
  )
const low = { bfloat16: true, layers: 1, kept: [0, 20, 40, 60, 80] }
await picture(
  "frozen-by-precision",
  "step",
  "share of entries that stood still",
  { healthy: still(await measured({ ...low, rate: 0.004 })), sick: still(await measured({ ...low, rate: 1e-4 })) },
  { threshold: 0.5, mark: "line" },
)

const growth = (of: MeasuredRun): Bar[] =>
  of.run.checkpoints.slice(1).map((_, i) => ({ x: at(of, i + 1), y: product(of, i + 1) }))
await picture(
  "unstable",
  "step",
  "‖BA‖",
  {
    healthy: growth(await measured({ kept: [0, 2, 4, 6, 8, 10] })),
    sick: growth(await measured({ optimiser: "gradient descent", rate: 60, kept: [0, 2, 4, 6, 8, 10] })),
  },
  { log: true, mark: "line" },
)

const thin = ({ b }: { b: number[] }) => {
  for (let i = 0; i < usual.width; i++)
    for (let k = 1; k < usual.rank; k++) b[i * usual.rank + k] = 1e-3 * b[i * usual.rank + k]!
}
const spectra = ({ modules }: MeasuredRun): Bar[] =>
  modules.flatMap((module) =>
    module.points.at(-1)!.spectrum.map((y, i) => ({ x: i + 1, y: y / module.points.at(-1)!.spectrum[0]! })),
  )
await picture(
  "rank-unused",
  "singular value of BA",
  "over the largest",
  { healthy: spectra(healthy), sick: spectra(await measured({ after: thin })) },
  { log: true, mark: "point" },
)

const persistent = ({ modules }: MeasuredRun): Bar[] =>
  modules.flatMap(({ persistence }) => (persistence.b ?? []).map((y, i) => ({ x: i + 1, y })))
const long = { width: 128, layers: 2, rate: 0.002, kept: [0, 30, 60] }
const { normal } = generator(11)
const walk = (factors: { a: number[]; b: number[] }) => {
  factors.a = factors.a.map((value) => value + 0.05 * normal())
  factors.b = factors.b.map((value) => value + 0.05 * normal())
}
await picture(
  "rank-saturated",
  "direction, weakest first",
  "correlation of B's changes",
  {
    healthy: persistent(await measured({ ...long, kept: [0, 20, 40], after: walk })),
    sick: persistent(await measured(long)),
  },
  { threshold: 2 * Math.sqrt((4 / 128) * (1 - 4 / 128)), mark: "point" },
)

const multipliers = ({ modules }: MeasuredRun): Bar[] =>
  modules.map((module) => ({ x: short(module), y: module.scale.value! }))
await picture("scaling-mismatch", "module", "multiplier", {
  healthy: multipliers(healthy),
  sick: multipliers(await measured({}, { config: { alpha_pattern: { q_proj: 16 } } })),
})

const left = await measured({
  after: (factors, name) => {
    if (name === "model.layers.2.self_attn.q_proj") factors.b = factors.b.map((value) => value / 3)
  },
})
await picture(
  "odd-modules",
  "module",
  "‖BA‖",
  { healthy: sizes(healthy), sick: sizes(left) },
  { log: true, mark: "point" },
)

async function base(deviation: number): Promise<string> {
  const draw = generator(7).normal
  const tensors = healthy.modules.map(({ name }) =>
    float32(
      `${name}.weight`,
      [48, 48],
      Array.from({ length: 48 * 48 }, () => deviation * draw()),
    ),
  )
  const path = join(folder, `base-${count++}`)
  await mkdir(path)
  await writeFile(join(path, "model.safetensors"), safetensors(tensors))
  return path
}
const shares = ({ modules }: MeasuredRun): Bar[] =>
  modules.map((module) => ({ x: short(module), y: norm(module.points.at(-1)!.spectrum) / module.base! }))
await picture(
  "beside-base",
  "module",
  "‖s·BA‖ / ‖W‖",
  { healthy: shares(await measured({}, {}, await base(0.2))), sick: shares(await measured({}, {}, await base(1e-2))) },
  { log: true, threshold: 1, mark: "point" },
)

const found = (missing: number): Bar[] =>
  healthy.modules.map((module, i) => ({ x: short(module), y: i < missing ? 0 : 1 }))
await picture("wrong-keys", "module", "weights found in the base model", { healthy: found(0), sick: found(12) })

const ratio = ({ modules, run }: MeasuredRun): Bar[] =>
  run.checkpoints.slice(1).map(({ step }, i) => ({
    x: step!,
    y:
      Math.max(...modules.flatMap(({ intervals }) => [intervals[i]!.a.largest, intervals[i]!.b.largest])) /
      (usual.rate * 5),
  }))
const before = new Map<string, number[]>()
const faster = (factors: { b: number[] }, name: string) => {
  const old = before.get(name) ?? factors.b.map(() => 0)
  factors.b = factors.b.map((value, i) => old[i]! + 16 * (value - old[i]!))
  before.set(name, factors.b)
}
await picture(
  "rate-exceeded",
  "step",
  "largest change / sum of rates",
  { healthy: ratio(healthy), sick: ratio(await measured({ after: faster })) },
  { log: true, threshold: 0.1 / Math.sqrt(0.001), mark: "line" },
)

// Runs for the README: Init[B] at three widths, rates falling as its stable rate does.
await rm(join(root, "examples/runs"), { recursive: true, force: true })
for (const width of [32, 64, 128])
  await write(
    join(root, "examples/runs", `width-${width}`),
    train({ ...usual, start: "B random", width, layers: 1, rate: 0.25 / width, kept: [0, 10, 20] }),
  )
await rm(folder, { recursive: true })
