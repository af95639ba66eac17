import { expect, test } from "vitest"
import { InputError } from "../../src/inputError.js"
import { schemeNamed } from "../../src/scheme/catalogue.js"
import type { SchemeDefinition } from "../../src/scheme/scheme.js"
import { checkedTask } from "../../src/train/checkedTask.js"
import { createPool } from "../../src/train/pool.js"
import type { Task } from "../../src/train/task.js"

function taskOf(definition: object): Extract<Task, { kind: "scheme" }> {
  return {
    kind: "scheme",
    definition: definition as SchemeDefinition,
    values: { c: "-1/2" },
    config: { width: 16, rank: 2, steps: 2 },
    seeds: [1],
  }
}

test("a definition in other people's words travels in this project's, and is checked once", () => {
  const { optimiser: _, ...rest } = schemeNamed("init-a")
  const task = taskOf({ ...rest, optimizer: "signSGD" })
  const checked = checkedTask(task)
  expect(checked).toEqual({ ...task, definition: { ...checked.definition, optimiser: "sign" } })
  expect(checkedTask(task).definition).toBe(checked.definition)
})

test("a definition that is not allowed is refused before any thread sees it", async () => {
  const pool = createPool(0)
  const task = taskOf({ ...schemeNamed("init-a"), weightDecay: -1 })
  await expect(pool.run(task)).rejects.toThrow(InputError)
  await expect(pool.run(task)).rejects.toMatchObject({ field: "init-a.weightDecay" })
  await pool.close()
})
