import type { SchemeDefinition } from "../scheme/definition.js"
import { checkedDefinition } from "../scheme/definitionSchema.js"
import type { Task } from "./task.js"

const checked = new WeakMap<SchemeDefinition, SchemeDefinition>()

/**
 * The task with a checked definition where it is a scheme's: what checks them takes long to load, threads go without.
 *
 * @throws InputError as `checkedDefinition`.
 */
export function checkedTask<T extends Task>(task: T): T {
  if (task.kind !== "scheme") return task
  const definition = checked.get(task.definition) ?? checkedDefinition(task.definition)
  checked.set(task.definition, definition)
  return { ...task, definition }
}
