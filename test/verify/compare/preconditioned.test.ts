import { expect, test } from "vitest"
import { slope } from "../../../src/fit/slope.js"
import { schemeNamed } from "../../../src/scheme/catalogue.js"
import { memoryStore } from "../../../src/sweep/memoryStore.js"
import { createPool } from "../../../src/train/pool.js"
import { check } from "../../../verify/compare/check.js"
import { measure } from "../../../verify/compare/measure.js"
import { FIRST_SEED } from "../../../verify/compare/seeds.js"
import { settingAt } from "../../../verify/compare/setting.js"

const budget = { widths: [256, 512, 1024, 2048, 4096, 8192], seeds: 8, steps: 4 }

test.each([
  ["adam-a-muon-b", { cA: "-1/2", cB: "1/4" }],
  ["scaled-sgd-init-a", { c: "-1/4" }],
  ["scaled-sgd-init-a", { c: "0", o: "1" }],
  ["scaled-adam-in-turn-init-a", { c: "-1/4" }],
  ["lora-rite-init-a", { c: "1/4" }],
  ["lora-rite-init-b", { c: "-1/4" }],
])("%s at %o follows its derived exponents", async (name, at) => {
  const claims = await check(schemeNamed(name), { ...budget, workers: 0, at })
  expect(claims.filter(({ verdict }) => verdict === "contradicts")).toEqual([])
  expect(claims.filter(({ verdict }) => verdict === "agrees").length).toBeGreaterThan(claims.length / 2)
})

test("scaled AdamW in turn at its bound: what Adam is given outgrows what it remembers from n = 2^12 on", async () => {
  const widths = [4096, 8192, 16384, 32768, 65536, 131072, 262144]
  const at = { c: "-1/2" }
  const claims = await check(schemeNamed("scaled-adam-in-turn-init-a"), { widths, seeds: 16, steps: 3, workers: 0, at })
  expect(claims.filter(({ verdict }) => verdict === "contradicts")).toEqual([])
  const delta3 = claims.find(({ quantity, step }) => quantity === "delta3" && step === 3)!
  expect([delta3.derived, delta3.verdict]).toEqual(["0", "agrees"])
})

const rite = { ...schemeNamed("lora-plus"), optimiser: "lora-rite" } as const

test("LoRA-RITE with a rate for each factor follows what is derived where neither outgrew its start", async () => {
  const claims = await check(rite, { ...budget, seeds: 32, workers: 0, at: { cA: "0", cB: "1/4" } })
  expect(claims.filter(({ verdict }) => verdict === "contradicts")).toEqual([])
  expect(claims.filter(({ verdict }) => verdict === "agrees").length).toBeGreaterThan(claims.length / 2)
})

test("where one did, δ³ grows by what its momentum carries: by one size for all directions it would fall", async () => {
  const [pool, store] = [createPool(0), memoryStore()]
  try {
    const at = settingAt("init-ab", { a0: "-1/2", b0: "-1/2", cA: "1/4", cB: "0" }, { optimiser: "lora-rite" })
    const runs = { ...budget, rank: 4, steps: 2, firstSeed: FIRST_SEED.check }
    const [measured] = await measure([at], runs, { pool, store })
    expect(slope(measured!.samples("delta3", 2)).interval.low).toBeGreaterThan(0.5)
  } finally {
    await store.close()
    await pool.close()
  }
})
