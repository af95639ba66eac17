import { expect, test } from "vitest"
import { configOf } from "../../../../src/checkpoint/pretrainedConfig.js"
import { CARDS } from "../../../../src/train/tuning/cost/cards.js"
import { onCard, UTILISATION } from "../../../../src/train/tuning/cost/estimate.js"

const LLAMA_7B = {
  model_type: "llama",
  hidden_size: 4096,
  num_hidden_layers: 32,
  num_attention_heads: 32,
  intermediate_size: 11008,
}
const tuning = {
  model: { shape: configOf("config.json", LLAMA_7B).shape, parameters: 6_738_415_616 },
  part: { sites: ["q_proj", "v_proj"], rank: 8, classes: null, tokens: 512 },
  precision: "bfloat16",
  size: 1,
  accumulate: 4,
  steps: 100,
  judged: null,
} as const
const [, a100] = CARDS

test("Llama-7b: about four operations a weight and token, in bfloat16 two bytes a weight and what a step keeps", () => {
  const { training, bytes, fits } = onCard(a100!, tuning)
  const simple = (4 * tuning.model.parameters * 512 * 4 * 100) / (UTILISATION * 312e12)
  // Attention and adapters are beside the weights, the table of words is looked up.
  expect(training / simple).toBeGreaterThan(0.98)
  expect(training / simple).toBeLessThan(1.1)
  expect(bytes).toBeGreaterThan(2 * tuning.model.parameters)
  expect(bytes).toBeLessThan(2 * tuning.model.parameters + 6e9)
  expect(fits).toBe(true)
  expect(onCard(a100!, { ...tuning, precision: "float32", size: 64 }).fits).toBe(false)
})

test("time is as steps, batches and their size; a generated token reads all weights", () => {
  const { training } = onCard(a100!, tuning)
  expect(onCard(a100!, { ...tuning, steps: 200, size: 3, accumulate: 2 }).training).toBeCloseTo(3 * training, 6)
  const judged = { sequences: 0, tokens: 1, generated: 1000 }
  expect(onCard(a100!, { ...tuning, judged }).judging).toBeCloseTo((1000 * 2 * 6_738_415_616) / 2.039e12, 6)
  const read = onCard(a100!, { ...tuning, judged: { sequences: 100, tokens: 512, generated: 0 } }).judging
  // Reading is the part of a step that goes forward.
  expect(read / (training / 4)).toBeGreaterThan(0.45)
  expect(read / (training / 4)).toBeLessThan(0.55)
})

test("blocks computed again cost a pass forward and keep their inputs; cards share batches, and weights if sharded", () => {
  const { bytes, training } = onCard(a100!, tuning)
  const again = onCard(a100!, { ...tuning, torch: { recompute: true } })
  // Forward and back are about as much each, since frozen weights need no gradient: three passes in place of two.
  expect(again.training / training).toBeCloseTo(1.5, 1)
  expect(again.bytes).toBeLessThan(bytes)
  const batches = { ...tuning, size: 8 }
  const four = onCard(a100!, { ...batches, torch: { processes: 4 } })
  expect(four.training).toBeCloseTo(onCard(a100!, batches).training / 4, 6)
  expect(four.bytes).toBe(onCard(a100!, { ...tuning, size: 2 }).bytes)
  const sharded = onCard(a100!, { ...batches, torch: { processes: 4, sharded: true } })
  expect(four.bytes - sharded.bytes).toBeCloseTo(0.75 * 2 * tuning.model.parameters, -3)
})
