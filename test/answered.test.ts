import { expect, test } from "vitest"
import { answered, resultOf } from "../src/answered.js"
import { MalformedFile } from "../src/checkpoint/malformed.js"
import { InputError } from "../src/inputError.js"

/** As a thread's answer arrives. */
const sent = async <T>(work: Promise<T>) => structuredClone(await answered(work))

test("a refusal is one on the other side of a thread too, in the same words", async () => {
  const refusals = [
    new MalformedFile({ file: "x", byte: 8, part: "shape" }, [2, 3], "4 × 2", "…"),
    new InputError({ field: "f", given: { not: "text" }, allowed: "a", example: "e", nearest: "n" }),
  ]
  for (const refusal of refusals) {
    const answer = await sent(Promise.reject(refusal))
    expect(() => resultOf(answer)).toThrow(InputError)
    expect(() => resultOf(answer)).toThrow(/allowed: /)
  }
  const [malformed] = refusals
  const answer = await sent(Promise.reject(malformed))
  expect(() => resultOf(answer)).toThrow(malformed!.message)
  expect(resultOf(await sent(Promise.resolve(7)))).toBe(7)
  await expect(answered(Promise.reject(new TypeError("mine")))).rejects.toThrow(TypeError)
})
