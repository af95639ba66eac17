import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { CATALOGUE, schemeNamed } from "../../src/scheme/catalogue.js"
import { openTrainer } from "../../src/train/backend.js"
import { kernelStart, onStudent, REFERENCE, trainStudent } from "../../src/train/student.js"
import type { TeacherStudentConfig } from "../../src/train/teacherStudentConfig.js"
import { teacherStudentData } from "../../src/train/wasm/teacherStudentData.js"

const SMALL: TeacherStudentConfig = {
  width: 24,
  rank: 3,
  inputs: 4,
  samples: 9,
  teacherWidth: 8,
  readout: 0.5,
  steps: 6,
  seed: 5,
  start: { A: 0, B: 0 },
  rates: { A: 0.01, B: 0.02 },
  recordEvery: 1,
}
const student = (name: string) => ({ definition: schemeNamed(name), values: {} })

/** Schemes of one adapted hidden layer, but for starts along a gradient, which the student does not name. */
const ON_STUDENT = CATALOGUE.filter(
  ({ network, spaces, model, start }) =>
    (network ?? spaces ?? model) === undefined && (start.A === "zero" || start.A.along === undefined),
)

test("the interpreter gives what the float64 kernel gives, step by step", async () => {
  const run = fc.record({
    name: fc.constantFrom("init-a", "init-b"),
    width: fc.integer({ min: 2, max: 40 }),
    seed: fc.nat(1000),
    readout: fc.constantFrom(0.5, 1),
  })
  await fc.assert(
    fc.asyncProperty(run, async ({ name, ...given }) => {
      const blank = { ...SMALL, ...given }
      const config = { ...blank, start: kernelStart(student(name), blank)! }
      const trainer = await openTrainer(config, { precision: "float64" })
      const kernel = await trainer.train(config)
      await trainer.close()
      const reference = trainStudent(student(name), config, teacherStudentData(config))
      expect(reference.history.map(({ step }) => step)).toEqual([0, 1, 2, 3, 4, 5, 6])
      reference.history.forEach((record, i) => {
        for (const [key, value] of Object.entries(record)) {
          const other = kernel.history[i]![key as keyof typeof record]
          expect(Math.abs(value - other), `${key} at ${i}`).toBeLessThanOrEqual(1e-9 * (1 + Math.abs(other)))
        }
      })
      expect(reference.outcome).toEqual(kernel.outcome)
    }),
    { numRuns: 25 },
  )
})

describe("which schemes a kernel trains", () => {
  test("Adam on two factors from Gaussian starts, whatever their names", () => {
    expect(kernelStart(student("init-a"), SMALL)).toEqual({ A: 24 ** -0.5, B: 0 })
    expect(
      kernelStart({ ...student("init-a"), definition: { ...schemeNamed("init-a"), name: "mine" } }, SMALL),
    ).toEqual({ A: 24 ** -0.5, B: 0 })
    expect(kernelStart(student("lora-plus"), SMALL)).not.toBeNull()
  })

  test("not Adam with another ε", () => {
    const definition = { ...schemeNamed("init-a"), epsilonConstant: 1e-3 }
    expect(kernelStart({ definition, values: {} }, SMALL)).toBeNull()
  })

  test.each(["sgd-init-a", "muon-init-a", "clip-init-a", "lora-fa", "stable-lora", "adam-epsilon", "adamw-init-a"])(
    "not %s",
    (name) => {
      const known = CATALOGUE.some((definition) => definition.name === name)
      const definition = known ? schemeNamed(name) : { ...schemeNamed("init-a"), weightDecay: 0.1 }
      const values = name === "adam-epsilon" ? { e: "-1/2" } : {}
      expect(kernelStart({ definition, values }, SMALL)).toBeNull()
    },
  )
})

test("every scheme of one hidden layer trains on the student, with a finite loss at a small rate", () => {
  const config = { ...SMALL, rates: { A: 1e-4, B: 1e-4 } }
  const data = teacherStudentData(config)
  for (const definition of ON_STUDENT) {
    const open = onStudent(definition, SMALL)
    const values = Object.fromEntries(
      Object.entries(definition.example ?? {}).filter(([symbol]) => !/^c[ABdbm]?$/.test(symbol)),
    )
    const result = trainStudent({ definition, values }, config, data)
    expect(result.backend).toBe(REFERENCE)
    expect(result.outcome, open.name).toEqual({ kind: "finished" })
    expect(Number.isFinite(result.finalLoss), definition.name).toBe(true)
  }
})
