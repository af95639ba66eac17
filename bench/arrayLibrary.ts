/**
 * The kernels written from a scheme's program beside an array library on WebGPU (TensorFlow.js), which runs the same
 * program an operation at a time: same starts, same device, in turn.
 */
import { markdownTable } from "markdown-table"
import { inOrder, type Node } from "../src/program/node.js"
import { schemeNamed } from "../src/scheme/catalogue.js"
import { type Scheme, scheme } from "../src/scheme/scheme.js"
import { openGpu } from "../src/train/gpu/device.js"
import { findAdapters } from "../src/train/gpu/graphicsAdapter.js"
import { programBatch } from "../src/train/gpu/program.js"
import { runJob } from "../src/train/gpu/programJob.js"
import { coefficientValue, type SpaceSizes, shapeOf } from "../src/train/numbers.js"
import { drawn, endsOf, sizesOf } from "../src/train/run.js"

/** What is used of the library: it is installed by who wants this benchmark, so its types are not at hand. */
interface Library {
  readonly setBackend: (name: string) => Promise<boolean>
  readonly tensor3d: (values: Float32Array, shape: readonly number[]) => Tensor
  readonly zeros: (shape: readonly number[]) => Tensor
  readonly fill: (shape: readonly number[], value: number) => Tensor
  readonly matMul: (x: Tensor, y: Tensor) => Tensor
  readonly transpose: (x: Tensor, axes: readonly number[]) => Tensor
  readonly add: (x: Tensor, y: Tensor) => Tensor
  readonly mul: (x: Tensor, y: Tensor | number) => Tensor
  readonly sign: (x: Tensor) => Tensor
  readonly sqrt: (x: Tensor) => Tensor
  readonly square: (x: Tensor) => Tensor
  readonly sum: (x: Tensor, axes: readonly number[]) => Tensor
  readonly divNoNan: (x: Tensor, y: Tensor) => Tensor
  readonly keep: (x: Tensor) => Tensor
  readonly tidy: <T>(run: () => T) => T
  readonly profile: (
    run: () => unknown,
  ) => Promise<{ readonly kernelNames: readonly string[]; readonly kernels: readonly { readonly name: string }[] }>
}
interface Tensor {
  readonly data: () => Promise<Float32Array>
  readonly dispose: () => void
}

const PACKAGES = ["@tensorflow/tfjs-core", "@tensorflow/tfjs-backend-webgpu"]
/** Adapters whose programs have matrices r×n, vectors and scalars alone. */
const SCHEMES = [
  { name: "init-a", values: { c: "-1/2" } },
  { name: "squared-init-a", values: { c: "-3/4" } },
  { name: "momentum-init-a", values: { c: "-1" } },
]
const RANK = 4
/** Kernels of the library that only rename a buffer. */
const FREE = new Set(["Reshape", "Identity"])

/** Prints milliseconds and kernels of a step for each width and scheme, so many seeds at once. */
export async function benchArrayLibrary(
  { widths, seeds, repeats }: { readonly widths: readonly number[]; readonly seeds: number; readonly repeats: number },
  say: (line: string) => void,
): Promise<void> {
  const library = await loaded()
  if (library === null) {
    say(`nothing measured: npm install --no-save ${PACKAGES.join(" ")}`)
    return
  }
  const gpu = await openGpu()
  const rows: string[][] = []
  for (const { name, values } of SCHEMES)
    for (const width of widths) {
      const own = scheme(schemeNamed(name), values)
      const config = { width, rank: RANK, steps: 1 }
      const all = Array.from({ length: seeds }, (_, i) => i)
      const batch = (steps: number) => programBatch(own, { ...config, steps }, all)
      const written = async (steps: number) => {
        const { job, results } = batch(steps)
        const start = performance.now()
        const records = await runJob(gpu, job)
        return { ms: performance.now() - start, loss: results(records).at(-1)!.history.at(-1)!.loss }
      }
      const operations = new Operations(library, own, sizesOf(own, config), all)
      const [ours, theirs] = [await written(3), await operations.train(3)]
      if (!(Math.abs(ours.loss - theirs.loss) <= 1e-3 * Math.abs(ours.loss)))
        throw new Error(`${name} at n = ${width}: loss ${theirs.loss}, ours ${ours.loss}`)
      const times: [number, number][] = []
      for (let repeat = 0; repeat < repeats; repeat++) {
        const step = async (train: (steps: number) => Promise<{ ms: number }>) =>
          ((await train(1 + STEPS)).ms - (await train(1)).ms) / STEPS
        times.push([await step(written), await step((steps) => operations.train(steps))])
      }
      const ratios = times.map(([x, y]) => y / x).sort((x, y) => x - y)
      const median = (of: readonly number[]) => [...of].sort((x, y) => x - y)[Math.floor(of.length / 2)]!
      rows.push([
        name,
        String(width),
        String(batch(1).job.kernels.length),
        String(await operations.kernels()),
        median(times.map(([x]) => x)).toPrecision(3),
        median(times.map(([, y]) => y)).toPrecision(3),
        `${median(ratios).toPrecision(3)} (${ratios[0]!.toPrecision(3)} to ${ratios.at(-1)!.toPrecision(3)})`,
      ])
    }
  say(`${gpu.software ? "software adapter, no card's speed: " : ""}${gpu.name}; ${seeds} seeds at once, r = ${RANK}\n`)
  const columns = ["scheme", "n", "kernels a step", "TensorFlow.js: kernels", "ms a step", "TensorFlow.js: ms", "ratio"]
  say(markdownTable([columns, ...rows], { align: ["l", "r", "r", "r", "r", "r", "r"] }))
  gpu.close()
}

const STEPS = 20

/** A program run by the library, an operation at a time, all seeds in the first axis. */
class Operations {
  constructor(
    private readonly tf: Library,
    private readonly own: Scheme,
    private readonly sizes: SpaceSizes,
    private readonly seeds: readonly number[],
  ) {}

  /** Trains from the start; the last seed's loss at the last step. */
  async train(steps: number): Promise<{ ms: number; loss: number }> {
    const leaves = this.starts()
    const begun = performance.now()
    const records: Tensor[] = []
    let loss: Tensor | undefined
    for (let t = 1; t <= steps; t++) {
      const step = this.step(leaves, t)
      for (const [leaf, next] of step.next) {
        leaves.get(leaf)!.dispose()
        leaves.set(leaf, next)
      }
      records.push(...step.squares, step.loss)
      loss = step.loss
    }
    const losses = await loss!.data()
    const ms = performance.now() - begun
    for (const tensor of [...leaves.values(), ...records]) tensor.dispose()
    return { ms, loss: losses.at(-1)! }
  }

  /** How many kernels a step starts. */
  async kernels(): Promise<number> {
    const leaves = this.starts()
    const { kernels } = await this.tf.profile(() => this.step(leaves, 2).loss)
    return kernels.filter(({ name }) => !FREE.has(name)).length
  }

  private starts(): Map<Node, Tensor> {
    const { tf, own, sizes, seeds } = this
    const shape = (node: Node) => [seeds.length, ...shapeOf(node, sizes)]
    const leaves = new Map([...own.program.next.keys()].map((leaf) => [leaf, tf.zeros(shape(leaf))]))
    const drawnLeaves = [...own.program.frozen.map(({ node, deviation }) => [node, deviation] as const), ...own.start]
    for (const [node, deviation] of drawnLeaves) {
      if (deviation === "zero") continue
      const [count, rows, columns] = shape(node) as [number, number, number]
      const values = new Float32Array(count * rows * columns)
      for (const [i, seed] of seeds.entries())
        values.set(drawn(node, deviation, sizes, { seed, width: sizes.n }).data, i * rows * columns)
      leaves.set(node, tf.tensor3d(values, [count, rows, columns]))
    }
    return leaves
  }

  private step(leaves: ReadonlyMap<Node, Tensor>, t: number) {
    const { tf, own } = this
    const { program } = own
    return tf.tidy(() => {
      const ends = endsOf(program)
      const values = new Map(leaves)
      for (const node of inOrder(ends, leaves)) values.set(node, this.apply(node, values, t))
      const at = (node: Node) => values.get(node)!
      return {
        loss: tf.keep(tf.mul(at(program.loss), 1)),
        next: [...program.next].map(([leaf, node]) => [leaf, tf.keep(tf.mul(at(node), 1))] as const),
        squares: Object.values(program.quantities).map((node) => tf.keep(tf.sum(tf.square(at(node)), [1, 2]))),
      }
    })
  }

  private apply(node: Node, values: ReadonlyMap<Node, Tensor>, t: number): Tensor {
    const { tf, sizes, seeds } = this
    const [x, y] = node.operands.map((operand) => values.get(operand)!) as [Tensor, Tensor]
    const all = [seeds.length, ...shapeOf(node, sizes)]
    if (node.is("one")) return tf.fill(all, 1)
    if (node.is("zero")) return tf.zeros(all)
    if (node.is("matmul")) return tf.matMul(x, y)
    if (node.is("transpose")) return tf.transpose(x, [0, 2, 1])
    if (node.is("add")) return tf.add(x, y)
    if (node.is("multiply")) return tf.mul(x, y)
    if (node.is("scale")) return tf.mul(x, coefficientValue(node.attributes.by, sizes.n, t))
    if (node.is("sign")) return tf.sign(x)
    // ε is negligible in these schemes, and smaller than float32's smallest number.
    if (node.is("rootRatio")) return tf.divNoNan(x, tf.sqrt(y))
    throw new Error(`${node.op} is not among the operations of ${this.own.definition.name}`)
  }
}

/** The library on an adapter like ours; null where it is not installed. */
async function loaded(): Promise<Library | null> {
  const found = await findAdapters()
  if ("missing" in found) return null
  const adapter = found[0]!.adapter
  // All that the library asks of a browser.
  Object.defineProperty(globalThis, "navigator", {
    value: { gpu: { requestAdapter: async () => adapter }, userAgent: "node" },
    configurable: true,
  })
  const modules = PACKAGES.map((name) => import(name))
  const [library] = (await Promise.all(modules).catch(() => [null])) as [Library | null]
  return library !== null && (await library.setBackend("webgpu")) ? library : null
}
