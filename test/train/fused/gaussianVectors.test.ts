import fc from "fast-check"
import { expect, test } from "vitest"
import { GaussianVectors, gaussianBytes, type VectorKernels } from "../../../src/train/fused/gaussianVectors.js"
import { GaussianMatrix } from "../../../src/train/gaussianMatrix.js"
import { gaussians } from "../../../src/train/random.js"
import { vectorModule } from "../../../src/train/wasm/kernelModule.js"

const memory = new WebAssembly.Memory({ initial: 32, maximum: 32, shared: true })
const { exports } = new WebAssembly.Instance(vectorModule(), { env: { memory } })
const numbers = new Float64Array(memory.buffer)
const room = { kernels: exports as unknown as VectorKernels, memory: numbers, rests: 4096, factors: 40_960 }
const [ARGUMENT, RESULT, BASES] = [81_920, 163_840, 245_760]

test("products are those of GaussianMatrix, whatever is asked in whatever order, new and known arguments", () => {
  const even = fc.integer({ min: 1, max: 300 }).map((half) => 2 * half)
  const question = fc.record({
    transposed: fc.boolean(),
    columns: fc.integer({ min: 1, max: 6 }),
    /** Whether the first column is a sum of arguments that were asked already. */
    known: fc.boolean(),
  })
  const questions = fc.array(question, { minLength: 1, maxLength: 7 })
  fc.assert(
    fc.property(even, even, fc.nat(1000), questions, (rows, columns, seed, asked) => {
      const exact = new GaussianMatrix(rows, columns, seed, "G", 0.5)
      const most = { times: 42, transposeTimes: 42 }
      expect(BASES + gaussianBytes(rows, columns, most)).toBeLessThan(memory.buffer.byteLength)
      const own = new GaussianVectors([rows, columns], { stream: "G", deviation: 0.5, most, at: BASES }, room)
      own.begin(seed)
      const before: Record<"true" | "false", number[][]> = { true: [], false: [] }
      asked.forEach(({ transposed, columns: count, known }, k) => {
        const [length, image] = transposed ? [rows, columns] : [columns, rows]
        const earlier = before[`${transposed}`]
        const arguments_ = Array.from({ length: count }, (_, j) => [...gaussians(seed, `${k} ${j}`, length)])
        if (known && earlier.length > 1) arguments_[0] = earlier[0]!.map((x, i) => 2 * x - earlier.at(-1)![i]!)
        earlier.push(...arguments_)
        arguments_.forEach((x, j) => {
          numbers.set(x, ARGUMENT / 8 + j * length)
        })
        const data = Float64Array.from(
          { length: length * count },
          (_, at) => arguments_[at % count]![Math.floor(at / count)]!,
        )
        const given = { rows: length, columns: count, data }
        const expected = transposed ? exact.transposeTimes(given) : exact.times(given)
        if (transposed) own.transposeTimes(ARGUMENT, count, RESULT)
        else own.times(ARGUMENT, count, RESULT)
        const size = Math.sqrt(length) * 10
        const differences = expected.data.map((x, at) => {
          const [i, j] = [Math.floor(at / count), at % count]
          return Math.abs(numbers[RESULT / 8 + j * image + i]! - x)
        })
        expect(differences.reduce((most, each) => Math.max(most, each), 0)).toBeLessThan(1e-9 * size)
      })
    }),
    { numRuns: 60 },
  )
})

/** As of attention that saturates: every query takes the same key, and the columns differ in their tenth digit. */
test("columns that are all but equal leave products linear", () => {
  const size = 512
  const most = { times: 40, transposeTimes: 4 }
  const own = new GaussianVectors([size, size], { stream: "G", deviation: 1, most, at: BASES }, room)
  fc.assert(
    fc.property(fc.nat(1000), fc.double({ min: 1e-10, max: 1e-8, noNaN: true }), (seed, apart) => {
      own.begin(seed)
      const ask = (columns: readonly ArrayLike<number>[]) => {
        for (const [j, x] of columns.entries()) numbers.set(x, ARGUMENT / 8 + j * size)
        own.times(ARGUMENT, columns.length, RESULT)
        return columns.map((_, j) => numbers.slice(RESULT / 8 + j * size, RESULT / 8 + (j + 1) * size))
      }
      const drawn = (name: string) => gaussians(seed, name, size)
      const first = Array.from({ length: 4 }, (_, j) => drawn(`first ${j}`))
      ask(first)
      const common = drawn("common").map((x, i) => x + first[0]![i]!)
      const near = Array.from({ length: 4 }, (_, j) => drawn(`near ${j}`).map((x, i) => common[i]! + apart * x))
      const images = ask(near)
      for (let k = 0; k < 5; k++) {
        const other = drawn(`other ${k}`)
        const [image] = ask([other])
        const [sum] = ask([other.map((x, i) => x + near[k % 4]![i]! - near[(k + 1) % 4]![i]! + first[1]![i]!)])
        const expected = image!.map((x, i) => x + images[k % 4]![i]! - images[(k + 1) % 4]![i]!)
        const [last] = ask([first[1]!])
        for (const [i, x] of sum!.entries()) expect(Math.abs(x - expected[i]! - last![i]!)).toBeLessThan(1e-6)
      }
    }),
    { numRuns: 20 },
  )
})
