import { readdir } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { describe, expect, test } from "vitest"
import { z } from "zod"
import { InputError } from "../../src/inputError.js"
import { checkedConfig, SweepConfig } from "../../src/sweep/config.js"
import { plan } from "../../src/sweep/plan.js"
import { readConfig } from "../../src/sweep/readConfig.js"

const theory = { experiment: "theory", schemes: ["init-a"], widths: [8], seeds: 2, steps: 3 }
const student = { experiment: "teacher-student", schemes: ["init-a"], widths: [8], rates: [0.1], seeds: 2, steps: 3 }

describe("a bad configuration names the field's path, the value, what is allowed and an example", () => {
  test.each([
    [{ ...theory, wdiths: [1] }, "wdiths", "[1]", "experiment, schemes, widths"],
    [{ ...theory, widths: [8, 0.5] }, "widths[1]", "0.5", "integers ≥ 1"],
    [{ ...theory, seeds: 0 }, "seeds", "0", "how many seeds"],
    [{ ...theory, steps: undefined }, "steps", "nothing", "an integer ≥ 1"],
    [{ ...theory, precision: "decimal" }, "precision", "decimal", "float64"],
    [{ ...theory, backend: "abacus" }, "backend", "abacus", "auto"],
    [
      { ...theory, schemes: ["init-a", { scheme: "init-b", sett: { c: -1 } }] },
      "schemes[1].sett",
      "c",
      "set, optimiser",
    ],
    [
      { ...theory, schemes: [{ scheme: "init-b", set: { c: true } }] },
      "schemes[0].set.c",
      "true",
      "a value for each symbol",
    ],
    [{ ...theory, rates: [1] }, "rates", "[1]", "no such field"],
    [{ ...student, rates: { from: 1, to: 2, perDecade: 3, refined: 1 } }, "rates.refined", "1", "refine"],
    [{ ...student, rates: { from: 3, to: 2, perDecade: 3 } }, "rates.to", "2", "≥ from"],
    [{ ...student, activations: "e4m3" }, "activations", "e4m3", "float32, float16"],
    [{ ...theory, activations: "float16" }, "activations", "float16", "no such field"],
    [{ ...student, rates: [0] }, "rates[0]", "0", "rates > 0"],
    [{ ...student, experiment: "practice" }, "experiment", "practice", "theory, teacher-student or finetune"],
    [null, "config", "nothing", "experiment"],
    [[theory], "config", "theory", "experiment"],
  ])("%j", (value, field, given, allowed) => {
    const error = refused(() => checkedConfig(value))
    expect(error.field).toBe(field)
    expect(error.message).toContain(given)
    expect(error.allowed).toContain(allowed)
    expect(() => JSON.parse(error.example)).not.toThrow()
  })

  test.each([
    [[{ scheme: "init-z" }], "schemes[0].scheme", "init-a, init-b"],
    [["init-a", "init-z"], "schemes[1]", "init-a, init-b"],
    [[{ scheme: "init-a", set: { k: 1 } }], "schemes[0].set", "a value for c"],
    [[{ scheme: "init-a", set: { c: "1e-3" } }], "schemes[0].set", ""],
    [[{ scheme: "lora-plus", set: { cA: -1 } }], "schemes[0].set", "a value for cB too"],
    [[{ scheme: "init-a", optimiser: "sofia" }], "schemes[0].optimiser", "adam, "],
  ])("what the schemes refuse is named too: %j", (schemes, field, allowed) => {
    const error = refused(() => plan(checkedConfig({ ...theory, schemes })))
    expect(error.field).toBe(field)
    expect(error.allowed).toContain(allowed)
  })

  test.each([
    [["init-c"], "schemes[0]", "init-a, init-b"],
    [["two-layers-init-a"], "schemes[0]", "hidden layer"],
    [["peft-lora-ga"], "schemes[0]", "gradient is known before training"],
    [[{ scheme: "init-a", set: { c: -1 } }], "schemes[0].set", "a value for d, rho, s"],
  ])("and on the student's network: %j", (schemes, field, allowed) => {
    const error = refused(() => plan(checkedConfig({ ...student, schemes })))
    expect(error.field).toBe(field)
    expect(error.allowed).toContain(allowed)
  })
})

function refused(act: () => unknown): InputError {
  try {
    act()
  } catch (error) {
    if (error instanceof InputError) return error
    throw error
  }
  throw new Error("nothing was refused")
}

interface Documented {
  readonly properties: Readonly<
    Record<string, { readonly description?: string; readonly examples?: readonly unknown[] }>
  >
}

test.each([
  [theory, 0],
  [student, 1],
] as const)("every field is documented, with an example that is allowed", (base, option) => {
  const { properties } = z.toJSONSchema(SweepConfig.options[option], { io: "input" }) as unknown as Documented
  for (const [name, { description, examples }] of Object.entries(properties)) {
    expect(description, name).toBeTruthy()
    expect(() => checkedConfig({ ...base, [name]: examples![0] }), name).not.toThrow()
  }
})

test("the example files are configurations that can be planned", async () => {
  const folder = fileURLToPath(new URL("../../examples/", import.meta.url))
  const schemes = ["ownScheme.yaml", "attentionOnly.yaml"]
  const files = (await readdir(folder)).filter((name) => name.endsWith(".yaml") && !schemes.includes(name))
  expect(files.length).toBeGreaterThan(1)
  for (const file of files) expect(plan(await readConfig(`${folder}${file}`)).first.length).toBeGreaterThan(10)
})
