import { inOrder } from "../../src/program/node.js"
import type { Op } from "../../src/program/operation.js"
import { type SchemeDefinition, scheme } from "../../src/scheme/scheme.js"
import { endsOf } from "../../src/train/run.js"

/** Whether a step of a scheme at its example computes one of the operations. */
export function computes(definition: SchemeDefinition, ...ops: readonly Op[]): boolean {
  const { program } = scheme(definition, definition.example ?? {})
  return inOrder(endsOf(program)).some(({ op }) => ops.includes(op))
}
