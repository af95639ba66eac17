import fc from "fast-check"
import { expect, test } from "vitest"
import { checkedConfig } from "../../src/sweep/config.js"
import { NetworkQueue } from "../../src/sweep/networkQueue.js"
import { plan } from "../../src/sweep/plan.js"
import { networkKey } from "../../src/train/task.js"

const config = {
  experiment: "teacher-student",
  schemes: ["init-a", "init-b"],
  widths: [16, 32],
  rates: [0.1, 0.2, 0.3],
  steps: 2,
}
const all = plan(checkedConfig({ ...config, seeds: 5 })).first
type Piece = (typeof all)[number]
const piecesOf = (seeds: number) => all.filter(({ task }) => task.kind === "synthetic" && task.config.seed <= seeds)
const network = ({ task }: Piece) => (task.kind === "synthetic" ? networkKey(task) : expect.fail())

test("every piece is done once, and a network is left only when it is done, whoever asks next", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.infiniteStream(fc.nat(2)), (seeds, workers) => {
      const pieces = piecesOf(seeds)
      const queue = new NetworkQueue(pieces)
      const left = [...pieces]
      const current = new Map<number, string>()
      for (const worker of workers) {
        const piece = queue.next(worker)
        if (piece === null) break
        const own = current.get(worker)
        const others = new Set([...current].filter(([other]) => other !== worker).map(([, key]) => key))
        if (left.some((each) => network(each) === own)) expect(network(piece)).toBe(own)
        else if (left.some((each) => !others.has(network(each)))) expect(others.has(network(piece))).toBe(false)
        current.set(worker, network(piece))
        expect(left.splice(left.indexOf(piece), 1)).toEqual([piece])
      }
      expect(left).toEqual([])
    }),
  )
})

test("one worker alone keeps the order", () => {
  const pieces = piecesOf(2)
  const queue = new NetworkQueue(pieces)
  expect(pieces.map(() => queue.next(0))).toEqual(pieces)
})

test("two hundred thousand pieces are given out in less than two seconds of a processor", () => {
  const pieces = plan(
    checkedConfig({ experiment: "theory", schemes: ["init-a"], widths: [8], seeds: 1, steps: 1 }),
  ).first
  const many = Array.from({ length: 200_000 }, (_, i) => pieces[i % pieces.length]!)
  const before = process.cpuUsage()
  const queue = new NetworkQueue(many)
  for (const [i, piece] of many.entries()) if (queue.next(i % 2) !== piece) expect.fail(`piece ${i}`)
  const { user, system } = process.cpuUsage(before)
  expect((user + system) / 1e6).toBeLessThan(2)
})
