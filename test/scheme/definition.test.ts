import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { inputSchema } from "../../src/checked.js"
import { derive } from "../../src/derive/derive.js"
import { formatCondition } from "../../src/exponent/grammar.js"
import { InputError } from "../../src/inputError.js"
import { CATALOGUE } from "../../src/scheme/catalogue.js"
import { checkedDefinition, SchemeSchema } from "../../src/scheme/definitionSchema.js"
import { scheme } from "../../src/scheme/scheme.js"
import { ownScheme, schemeText } from "../../src/scheme/schemeText.js"

const mine = { name: "mine", title: "", start: { A: { exponent: "-1/2" }, B: "zero" }, rates: { A: "c", B: "c" } }

/** What the library refuses: it checks what it is given, whatever the types say. */
function refused(definition: object): InputError {
  try {
    scheme(definition as Parameters<typeof scheme>[0])
  } catch (error) {
    if (error instanceof InputError) return error
    throw error
  }
  throw new Error("nothing was refused")
}

describe("a definition is checked by the library", () => {
  test.each<[string, object, string, string]>([
    ["a field that does not exist", { ...mine, clipping: "0" }, "mine.clipping", "did you mean clip?"],
    ["one in another spelling", { ...mine, weight_decay: 0.1 }, "mine.weight_decay", "did you mean weightDecay?"],
    ["letters in another order", { ...mine, rakn: "rho" }, "mine.rakn", "did you mean rank?"],
    ["an unknown update rule", { ...mine, optimiser: "muoon" }, "mine.optimiser", "did you mean muon?"],
    ["one that is like none", { ...mine, optimiser: "naturalGradient" }, "mine.optimiser", "allowed: adam, sign, sgd"],
    ["a rule for one factor alone", { ...mine, optimiser: { A: "adam" } }, "mine.optimiser.B", "nothing"],
    [
      "an unknown rule of a factor",
      { ...mine, optimiser: { A: "adam", B: "muoon" } },
      "mine.optimiser.B",
      "mean muon?",
    ],
    ["a start by a name", { ...mine, start: { A: "kaiming", B: "zero" } }, "mine.start.A", '"zero", or { exponent'],
    ["a third factor", { ...mine, rates: { ...mine.rates, m: "c" } }, "mine.rates.m", "the fields are A, B"],
    ["no rates", { ...mine, rates: undefined }, "mine.rates", "nothing"],
    ["nothing that moves", { ...mine, rates: { A: "frozen", B: "frozen" } }, "mine.rates", "at least one factor"],
    ["both factors zero", { ...mine, start: { A: "zero", B: "zero" } }, "mine.start", "at most one zero factor"],
    ["a batch of none", { ...mine, batch: 0 }, "mine.batch", "an integer ≥ 1"],
    ["both spellings", { ...mine, optimiser: "sgd", optimizer: "adam" }, "mine.optimiser", "one of its spellings"],
    ["no object", [], "scheme", "name, title, start and rates"],
  ])("%s", (_, definition, field, says) => {
    const error = refused(definition)
    expect(error.field).toBe(field)
    expect(error.message).toContain(says)
    expect(error.message).not.toContain("undefined")
  })

  test("every field of every other name is refused", () => {
    const known = Object.keys(SchemeSchema.shape)
    fc.assert(
      fc.property(
        fc.string().filter((name) => name !== "optimizer" && !known.includes(name)),
        (name) => {
          expect(refused({ ...mine, [name]: "c" }).field).toBe(`mine.${name}`)
        },
      ),
    )
  })

  test("optimizer is optimiser, and numbers are exponents", () => {
    const stable = (definition: object) =>
      formatCondition(derive(scheme(definition as Parameters<typeof scheme>[0])).stable)
    // Gradient descent from Init[A] at o = 1/2 (docs/theory.md): c <= -1 - γ[dZ] = -1/2, and Adam's c <= -1/2 for both.
    expect(scheme({ ...mine, optimizer: "SGD" } as unknown as Parameters<typeof scheme>[0]).definition.optimiser).toBe(
      "sgd",
    )
    expect(stable({ ...mine, start: { A: { exponent: -0.5 }, B: "zero" } })).toBe("c <= -1/2")
    expect(stable({ ...mine, rates: { A: -0.5, B: -0.5 } })).toBe("always")
    expect(stable({ ...mine, rates: { A: -0.25, B: -0.5 } })).toBe("never")
  })

  test("what a library's name leaves out is listed with the assumptions", () => {
    expect(checkedDefinition({ ...mine, optimiser: "adamw8bit" })).toMatchObject({
      optimiser: "adam",
      caveats: [expect.stringContaining("weight decay"), expect.stringContaining("8 bits")],
    })
  })

  test("the catalogue passes as it is", () => {
    for (const definition of CATALOGUE) expect(checkedDefinition(definition)).toEqual(definition)
  })
})

describe("what is assumed of the symbols is read as it is written, or refused", () => {
  const open = { ...mine, start: { A: { exponent: "a0" }, B: "zero" } } as const
  const within = (domain: string) => ({ ...open, domain })
  test.each<[string, object, string, string]>([
    ["alternatives", within("a0 <= -1 or a0 >= 0"), "mine.domain", "joined by and"],
    ["what nothing satisfies", within("a0 <= -1 and a0 >= 0"), "mine.domain", "some values satisfy"],
    ["a symbol that no exponent has", within("a1 <= 0"), "mine.domain", "did you mean a0?"],
    ["a rank that falls", { ...mine, rank: "-1" }, "mine.rank and inputWidth", "exponents >= 0"],
  ])("refused: %s", (_, definition, field, says) => {
    const error = refused(definition)
    expect(error.field).toBe(field)
    expect(error.message).toContain(says)
  })
  test("a value outside is refused, one inside is not", () => {
    fc.assert(
      fc.property(fc.integer({ min: -20, max: 20 }), (tenths) => {
        const read = () => scheme(within("a0 >= -1 and a0 <= 1/2") as never, { a0: `${tenths}/10` })
        if (tenths >= -10 && tenths <= 5) expect(read().domain).toEqual([])
        else expect(read).toThrow(/a0=.*allowed: values with a0 (>= -1|<= 1\/2)/)
      }),
    )
  })
  test("values that leave nothing are refused", () =>
    expect(() =>
      scheme({ ...within("a0 <= 0 and a0 >= x + 1"), rates: { A: "x", B: "c" } } as never, { a0: "x" }),
    ).toThrow(InputError))
})

describe("a field that nothing reads is refused", () => {
  const block = { kind: "llama-block", sites: ["q", "v"] }
  test.each<[string, object, string, string]>([
    ["epsilon without a quotient", { optimiser: "lion", epsilon: "0" }, "mine.epsilon", "none with lion"],
    ["damping without an inverse", { damping: "0" }, "mine.damping", "none with adam"],
    [
      "a model beside a network",
      { model: block, network: { layers: 2, activation: "relu", residual: false } },
      "mine.model",
      "none beside network",
    ],
    ["spaces beside a model", { model: block, spaces: { input: "one", output: "n" } }, "mine.spaces", "beside model"],
    ["an input width of a block", { model: block, inputWidth: "2" }, "mine.inputWidth", "n; for example"],
    ["a layer twice", { model: { ...block, sites: ["q", "q"] } }, "mine.model.sites", "q has one adapter"],
    ["another model", { model: { kind: "llama" } }, "mine.model.kind", "teacher-student, llama-block, bert-block"],
  ])("%s", (_, fields, field, says) => {
    const error = refused({ ...mine, ...fields })
    expect(error.field).toBe(field)
    expect(error.message).toContain(says)
  })
  test("epsilon and damping of one factor's rule are read", () => {
    const pair = { optimiser: { A: "adam", B: "scaled-sgd" }, epsilon: "0", damping: "0" }
    expect(() => scheme({ ...mine, ...pair } as never)).not.toThrow()
  })
  test("so is a file's example of no symbol, or outside the domain", () => {
    const own = (example: object) => () => ownScheme({ ...mine, domain: "c <= 0", example }, "own.yaml")
    expect(own({ k: "1" })).toThrow(/mine\.example\.k: .*the scheme's symbols: c/)
    expect(own({ c: "1" })).toThrow(/values with c <= 0/)
    expect(own({ c: "-1" })).not.toThrow()
  })
  test("an exponent that is none is said with its line, its rates by the names that the file has", () => {
    const text = (rates: string) =>
      `name: own\nstart: { A: { exponent: -1/2 }, B: zero }\nrates:\n${rates}model: { kind: llama-block, sites: [q] }\n`
    expect(() => schemeText(text("  A: c^2\n  B: c\n"), "own.yaml", "own")).toThrow(
      /^own\.yaml:4: own\.rates\.A: got "c\^2"/,
    )
    expect(() => schemeText(text("  q: { A: c, B: n^c }\n"), "own.yaml", "own")).toThrow(
      /^own\.yaml:4: own\.rates\.q\.B:/,
    )
  })
})

test("a value in a symbol that has its default is refused, in a free one it is read", () => {
  const read = (values: Record<string, string>, free: string[] = []) => scheme(mine as never, values, free)
  expect(() => read({ c: "o" })).toThrow(/o is 1\/2 unless it is left free/)
  expect(() => read({ s: "-rho/2" })).toThrow(/rho is 0 unless/)
  expect(read({ s: "-rho/2" }, ["rho"]).symbols).toEqual(["c", "rho"])
  // At o = c, f - f0 = O(1) iff c - o <= -1 and 2 c - o <= -2: never.
  expect(derive(read({ c: "o" }, ["o"])).stableOutput.isNever).toBe(true)
  expect(() => scheme({ ...mine, rates: { A: "cA", B: "cB" } } as never, { c: "-1", cA: "0" })).toThrow(
    /one value for cA/,
  )
})

test("a factor's own rule may have a library's name, and what that leaves out is said once", () => {
  expect(checkedDefinition({ ...mine, optimizer: { A: "AdamW", B: "torch.optim.Muon" } })).toMatchObject({
    optimiser: { A: "adam", B: "muon-original" },
    caveats: [expect.stringContaining("weight decay")],
  })
})

test("every field is documented, with an example that is allowed", () => {
  const { properties } = inputSchema(SchemeSchema) as unknown as {
    properties: Record<string, { description?: string; examples?: unknown[] }>
  }
  for (const [name, { description, examples }] of Object.entries(properties)) {
    expect(description, name).toBeTruthy()
    expect(() => SchemeSchema.parse({ ...mine, [name]: examples![0] }), name).not.toThrow()
  }
})
