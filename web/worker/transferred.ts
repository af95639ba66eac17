import { askedTransfer, type TransferQuestion, transferJson } from "../../src/report/transferQuestion.js"
import type { TransferAsked, Transferred } from "../messages.js"
import { definitionOf, nameAsTyped } from "./definition.js"

/** The answer to a question of the calculator: that of `transfer`. @throws InputError as it does. */
export function transferred({ from, to, question }: TransferAsked): Transferred {
  const asked = askedTransfer(question, definitionOf(from), to === null ? null : definitionOf(to), {})
  const other = to === null ? [] : ["--to-scheme", nameAsTyped(to)]
  const optimisers = [
    ...(from.optimiser === "" ? [] : ["--optimiser", from.optimiser]),
    ...(to === null || to.optimiser === "" ? [] : ["--to-optimiser", to.optimiser]),
  ]
  const words = ["lora-scaling transfer --scheme", nameAsTyped(from), ...other, ...optimisers, ...options(question)]
  return { json: transferJson(asked, null), command: words.join(" ") }
}

function options({ peft, ...question }: TransferQuestion): string[] {
  const typed = Object.entries(question).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`, quoted(value)],
  )
  return peft ? [...typed, "--peft"] : typed
}

function quoted(text: string): string {
  return /^[\w./+-]+$/.test(text) ? text : `'${text}'`
}
