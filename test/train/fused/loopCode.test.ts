import { expect, test } from "vitest"
import { LoopCode, loopModule } from "../../../src/train/fused/loopCode.js"

/** Runs a loop on vectors, which are changed in place. */
function runLoop(code: LoopCode, vectors: readonly number[][]): number[][] {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true })
  const module = new WebAssembly.Module(loopModule([code]))
  const loop = new WebAssembly.Instance(module, { env: { memory } }).exports["0"] as (...numbers: number[]) => void
  const views = vectors.map((numbers, i) => {
    const view = new Float64Array(memory.buffer, 1024 * i, numbers.length)
    view.set(numbers)
    return view
  })
  loop(8 * vectors[0]!.length, ...views.map(({ byteOffset }) => byteOffset))
  return views.map((view) => [...view])
}

test("a loop loads, computes, stores and sums over all entries", () => {
  const code = new LoopCode()
  const [x, y, numbers, sums] = [code.address(), code.address(), code.address(), code.address()]
  const [first, second] = [code.load(x), code.load(y)]
  const combined = code.apply("add", code.apply("mul", code.number(numbers, 1), first), second)
  code.store(y, combined)
  code.sum([combined, first], sums, 0)
  code.sum([code.constant(2)], sums, 1)
  const [, changed, , total] = runLoop(code, [
    [1, 2, 3, 4],
    [10, 20, 30, 40],
    [0, 5],
    [-1, -1],
  ])
  expect(changed).toEqual([15, 30, 45, 60])
  expect(total).toEqual([160, 8])
})

test("operations entry by entry, also of infinities and of what is no number", () => {
  const code = new LoopCode()
  const [x, y, out] = [code.address(), code.address(), code.address()]
  const [p, q] = [code.load(x), code.load(y)]
  code.store(
    out,
    code.apply("select", code.apply("max", p, q), code.apply("neg", p), code.apply("gt", q, code.constant(0))),
  )
  const [, , result] = runLoop(code, [
    [1, -2, Number.NaN, Number.NEGATIVE_INFINITY],
    [3, -1, 1, 0.5],
    [0, 0, 0, 0],
  ])
  expect(result).toEqual([3, 2, Number.NaN, 0.5])
})

test("a loop of many registers and parameters", () => {
  const code = new LoopCode()
  const out = code.address()
  const inputs = Array.from({ length: 200 }, () => code.address())
  code.store(
    out,
    inputs.map((at) => code.load(at)).reduce((sum, value) => code.apply("add", sum, value)),
  )
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true })
  const module = new WebAssembly.Module(loopModule([code]))
  const loop = new WebAssembly.Instance(module, { env: { memory } }).exports["0"] as (...numbers: number[]) => void
  const view = new Float64Array(memory.buffer)
  inputs.forEach((_, i) => {
    view.set([i, 2 * i], 2 * (i + 1))
  })
  loop(16, 0, ...inputs.map((_, i) => 16 * (i + 1)))
  expect([...view.subarray(0, 2)]).toEqual([19_900, 39_800])
})
