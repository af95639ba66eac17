import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { openCheckpoint } from "../../src/checkpoint/open.js"
import { examine, FINDINGS } from "../../src/inspect/catalogue.js"
import type { Answer } from "../../src/inspect/finding.js"
import { measureRun } from "../../src/inspect/measureRun.js"
import { readRuns } from "../../src/inspect/run.js"
import { float32, safetensors } from "../checkpoint/write.js"
import { generator, type Made, train, usual, type Writing, write } from "./made.js"

let folder: string
let count = 0
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "inspect-"))
})
afterAll(() => rm(folder, { recursive: true }))

/** The answers to a made-up run, by the finding's id. */
async function ask(
  made: Partial<Made> = {},
  writing: Writing = {},
  base: string | null = null,
): Promise<Record<string, Answer>> {
  const path = await write(join(folder, `run-${count++}`), train({ ...usual, ...made }), writing)
  return answersOf(path, base)
}

async function answersOf(path: string, base: string | null = null): Promise<Record<string, Answer>> {
  const [run] = await readRuns(path)
  const model = base === null ? null : await openCheckpoint(base)
  const measured = await measureRun(run!, model)
  await model?.close()
  return Object.fromEntries(examine(measured).map(({ finding, answer }) => [finding.id, answer]))
}

/** A base model whose weights have these deviations. */
async function baseModel(
  deviation: number,
  names = (layer: number, kind: string) => `model.layers.${layer}.self_attn.${kind}.weight`,
): Promise<string> {
  const { normal } = generator(7)
  const n = usual.width
  const tensors = Array.from({ length: usual.layers }, (_, i) =>
    ["q_proj", "v_proj"].map((kind) =>
      float32(
        names(i, kind),
        [n, n],
        Array.from({ length: n * n }, () => deviation * normal()),
      ),
    ),
  ).flat()
  const path = join(folder, `base-${count++}`)
  await mkdir(path)
  await writeFile(join(path, "model.safetensors"), safetensors(tensors))
  return path
}

describe("start", () => {
  test.each([
    ["A random", /A random.*B zero: Init\[A\]/],
    ["B random", /A zero, B random.*Init\[B\]/],
    ["both random", /Both factors random/],
  ] as const)("%s, from step 0 and from a later checkpoint alone", async (start, says) => {
    const own = { start, width: 128, layers: 2, rate: 0.001 }
    expect((await ask(own)).start).toMatchObject({ state: "fact", says: expect.stringMatching(says) })
    expect((await ask({ ...own, kept: [20] }, { silent: true })).start).toMatchObject({
      state: "fact",
      says: expect.stringMatching(says),
    })
  })

  test("a small B is not told to have grown from zero where the configuration says that both started nonzero", async () => {
    const own = { start: "A random", width: 128, layers: 2, rate: 0.001, kept: [20] } as const
    expect((await ask(own, { silent: true })).start!.says).toContain("Init[A]")
    for (const init_lora_weights of ["pissa_niter_16", "olora", false])
      expect((await ask(own, { silent: true, config: { init_lora_weights } })).start).toMatchObject({
        state: "unknown",
        says: expect.stringContaining("by the configuration both factors start nonzero"),
      })
    expect((await ask(own, { silent: true, config: { init_lora_weights: "gaussian" } })).start!.says).toMatch(
      /Init\[A\].*The configuration says "gaussian"/,
    )
  })

  test("factors that have moved too far are not guessed", async () => {
    const { start } = await ask({ kept: [200], rate: 0.01 }, { silent: true })
    expect(start).toMatchObject({
      state: "unknown",
      says: expect.stringContaining("Not identifiable from these files"),
    })
  })
})

describe("a made-up run that must show a finding, and one that must not", () => {
  test("never-trained: B left zero; A unchanged; nothing moved", async () => {
    expect((await ask())["never-trained"]!.state).toBe("healthy")
    const frozen = await ask({ after: (factors) => factors.b.fill(0) })
    expect(frozen["never-trained"]).toMatchObject({
      state: "sick",
      says: expect.stringContaining("B is exactly zero in 12 of 12"),
    })
    const one = await ask({ after: (factors, name) => void (name.includes(".3.self_attn.v") && factors.b.fill(0)) })
    expect(one["never-trained"]).toMatchObject({ state: "sick", modules: ["model.layers.3.self_attn.v_proj"] })
    expect((await ask({ rate: 0, start: "both random" }))["never-trained"]).toMatchObject({
      state: "sick",
      says: expect.stringContaining("Nothing changed"),
    })
    expect((await ask({ kept: [0] }))["never-trained"]!.state).toBe("unknown")
  })

  test("undertrained-factor: B of Init[B] at width 256, not A of Init[A]", async () => {
    const wide = { width: 256, layers: 1, rate: 0.001 }
    expect((await ask({ ...wide, start: "B random" }))["undertrained-factor"]).toMatchObject({
      state: "notice",
      says: expect.stringMatching(/^B, nonzero at the first checkpoint/),
    })
    expect((await ask({ ...wide, rate: 0.004 }))["undertrained-factor"]!.state).toBe("healthy")
    expect((await ask({ kept: [20] }))["undertrained-factor"]!.state).toBe("unknown")
  })

  test("frozen-by-precision: rates below half an ulp of bfloat16, told with and without a log", async () => {
    // Entries of A are 0.14, half an ulp of them 2^-11 = 4.9e-4: steps of 1e-4 are lost for hundreds of steps.
    const lost = { bfloat16: true, rate: 1e-4, kept: [0, 40, 80], layers: 2 }
    const told = await ask(lost)
    expect(told["frozen-by-precision"]).toMatchObject({
      state: "sick",
      says: expect.stringMatching(/^A: one step's update/),
    })
    expect(told["frozen-by-precision"]!.number).toBeLessThan(1)
    expect((await ask(lost, { silent: true }))["frozen-by-precision"]!.state).toBe("sick")
    expect((await ask({ ...lost, bfloat16: false }))["frozen-by-precision"]!.state).toBe("healthy")
    expect((await ask({ ...lost, rate: 0.004 }))["frozen-by-precision"]!.state).toBe("healthy")
    expect((await ask({ ...lost, kept: [0, 4] }))["frozen-by-precision"]).toMatchObject({ state: "unknown" })
  })

  test("unstable: gradient descent that feeds itself, a rising loss, a NaN in either", async () => {
    expect((await ask()).unstable!.state).toBe("healthy")
    const falling = (i: number, noise: number) => 3 - 0.05 * i + noise
    const { normal } = generator(3)
    const calm = Array.from({ length: 20 }, (_, i) => falling(i, 0.02 * normal()))
    expect((await ask({}, { losses: calm })).unstable!.state).toBe("healthy")
    expect((await ask({}, { losses: calm.map((loss, i) => (i > 15 ? loss + 4 : loss)) })).unstable).toMatchObject({
      state: "sick",
      says: expect.stringContaining("deviations of the noise"),
    })
    expect((await ask({}, { losses: calm.map((loss, i) => (i > 15 ? Number.NaN : loss)) })).unstable).toMatchObject({
      state: "sick",
      says: expect.stringContaining("no finite number"),
    })
    const growing = await ask(
      { optimiser: "gradient descent", rate: 60, start: "A random", kept: [0, 2, 4, 6, 8, 10] },
      { silent: true },
    )
    expect(growing.unstable).toMatchObject({ state: "sick" })
    const broken = await ask({
      after: (factors) => {
        factors.b[0] = Number.NaN
      },
    })
    expect(broken.unstable).toMatchObject({
      state: "sick",
      says: expect.stringContaining("12 of 12 modules hold entries"),
    })
  })

  test("rank-unused: B with one column, and with directions below rounding", async () => {
    expect((await ask())["rank-unused"]!.state).toBe("healthy")
    const [n, r] = [usual.width, usual.rank]
    const thin =
      (share: number) =>
      ({ b }: { b: number[] }) => {
        for (let i = 0; i < n; i++) for (let k = 1; k < r; k++) b[i * r + k] = share * b[i * r + k]!
      }
    expect((await ask({ after: thin(0) }))["rank-unused"]!.state).toBe("sick")
    expect((await ask({ after: thin(1e-3) }))["rank-unused"]!.state).toBe("sick")
  })

  test("rank-saturated: a target of full rank in little noise goes on in all directions; random changes do not", async () => {
    const wide = { width: 128, layers: 2, rate: 0.002, kept: [0, 30, 60] }
    expect((await ask(wide))["rank-saturated"]!.state).toBe("notice")
    const { normal } = generator(11)
    const walk = await ask({
      ...wide,
      layers: 1,
      kept: [0, 20, 40],
      after: (f) => {
        f.a = f.a.map((v) => v + 0.05 * normal())
        f.b = f.b.map((v) => v + 0.05 * normal())
      },
    })
    expect(walk["rank-saturated"]!.state).toBe("healthy")
    expect((await ask())["rank-saturated"]).toMatchObject({
      state: "unknown",
      says: expect.stringContaining("momentum"),
    })
  })

  test("scaling-mismatch: a rank that the configuration does not name, and multipliers that differ", async () => {
    expect((await ask())["scaling-mismatch"]).toMatchObject({
      state: "healthy",
      says: expect.stringContaining("rank 4, alpha 4, multiplier 1"),
    })
    expect((await ask({}, { config: { r: 8 } }))["scaling-mismatch"]).toMatchObject({
      state: "sick",
      number: 4,
      threshold: 8,
    })
    // A rank that the configuration gives to other modules is as wrong as one that it does not name.
    const moved = { rank_pattern: { q_proj: 8, "layers.0.self_attn.v_proj": 4 } }
    expect((await ask({}, { config: moved }))["scaling-mismatch"]).toMatchObject({
      state: "sick",
      says: expect.stringMatching(/^6 of 12 modules have rank 4 in the file, and 8 in the configuration \(.*q_proj/),
      threshold: 8,
    })
    expect((await ask({}, { config: { lora_alpha: 0 } }))["scaling-mismatch"]).toMatchObject({
      state: "sick",
      says: expect.stringContaining("they add nothing"),
    })
    expect((await ask({}, { config: { alpha_pattern: { q_proj: 16 } } }))["scaling-mismatch"]).toMatchObject({
      state: "notice",
      number: 4,
    })
  })

  test("wrong-keys: wrappers' prefixes; names and shapes that the base model does not have", async () => {
    const base = await baseModel(0.1)
    expect((await ask())["wrong-keys"]!.state).toBe("unknown")
    expect((await ask({}, {}, base))["wrong-keys"]!.state).toBe("healthy")
    expect((await ask({}, { rename: (name) => `_orig_mod.${name}` }))["wrong-keys"]).toMatchObject({
      state: "sick",
      says: expect.stringContaining("torch.compile"),
    })
    const other = await baseModel(0.1, (layer, kind) => `transformer.h.${layer}.${kind}.weight`)
    expect((await ask({}, {}, other))["wrong-keys"]).toMatchObject({
      state: "sick",
      says: expect.stringContaining("12 of 12 modules have no weight"),
    })
    expect((await ask({ width: 32 }, {}, base))["wrong-keys"]).toMatchObject({
      state: "sick",
      says: expect.stringContaining("32 × 32"),
    })
  })

  test("odd-modules: one of six left behind", async () => {
    expect((await ask())["odd-modules"]!.state).toBe("healthy")
    const odd = await ask({
      after: (factors, name) => {
        if (name === "model.layers.2.self_attn.q_proj") factors.b = factors.b.map((v) => v / 3)
      },
    })
    expect(odd["odd-modules"]).toMatchObject({ state: "sick", modules: ["model.layers.2.self_attn.q_proj"] })
  })

  test("beside-base: larger than W, and below the rounding of bfloat16", async () => {
    const healthy = (await ask({}, {}, await baseModel(0.2)))["beside-base"]!
    expect(healthy.state).toBe("healthy")
    // Slid the other way, it is as large.
    expect((await ask({}, { config: { lora_alpha: -4 } }, await baseModel(0.2)))["beside-base"]).toEqual(healthy)
    expect((await ask({}, {}, await baseModel(1e-4)))["beside-base"]!.state).toBe("sick")
    expect((await ask({}, {}, await baseModel(50)))["beside-base"]!.state).toBe("notice")
  })

  test("rate-exceeded: B with a rate of its own", async () => {
    expect((await ask())["rate-exceeded"]!.state).toBe("healthy")
    const before = new Map<string, number[]>()
    const faster = (factors: { b: number[] }, name: string) => {
      const old = before.get(name) ?? factors.b.map(() => 0)
      factors.b = factors.b.map((value, i) => old[i]! + 16 * (value - old[i]!))
      before.set(name, factors.b)
    }
    expect((await ask({ after: faster }))["rate-exceeded"]!.state).toBe("notice")
    expect((await ask({}, { silent: true }))["rate-exceeded"]!.state).toBe("unknown")
  })

  test("every finding is asked above", () => {
    expect(FINDINGS.map(({ id }) => id).sort()).toEqual(
      [
        "start",
        "never-trained",
        "undertrained-factor",
        "frozen-by-precision",
        "unstable",
        "rank-unused",
        "rank-saturated",
        "scaling-mismatch",
        "wrong-keys",
        "odd-modules",
        "beside-base",
        "rate-exceeded",
      ].sort(),
    )
  })
})

test.each(["A random", "B random", "both random"] as const)(
  "200 random healthy adapters, %s: no sickness in at least 190",
  async (start) => {
    let calm = 0
    const sick = new Map<string, number>()
    for (let seed = 0; seed < 200; seed++) {
      const { uniform } = generator(1000 + seed)
      const among = <T>(...choices: readonly T[]) => choices[Math.floor(uniform() * choices.length)]!
      const answers = await ask({
        start,
        seed,
        width: among(16, 24, 32, 48),
        rank: among(2, 3, 4),
        layers: among(3, 6),
        rate: 0.001 * 8 ** uniform(),
        kept: among([0, 4, 8, 12], [12], [4, 12]),
      })
      const found = Object.entries(answers).filter(([, { state }]) => state === "sick")
      for (const [id] of found) sick.set(id, (sick.get(id) ?? 0) + 1)
      if (found.length === 0) calm++
    }
    expect({ calm: calm >= 190, sick: calm >= 190 ? null : Object.fromEntries(sick) }).toEqual({
      calm: true,
      sick: null,
    })
  },
)
