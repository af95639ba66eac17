/** A scheme's program on a device: the runs of many seeds side by side, in float32. */
import type { Node } from "../../program/node.js"
import type { Scheme } from "../../scheme/scheme.js"
import { entriesOf, type SpaceSizes } from "../numbers.js"
import { drawn, endsOf, type RunConfig, type RunResult, requireRunnable, sizesOf } from "../run.js"
import { measuredNodes, StepRecords } from "../stepRecords.js"
import { type Gpu, GpuFailure } from "./device.js"
import { type ProgramJob, runJob } from "./programJob.js"
import { type ProgramCode, programCode, type RecordItem, unsupported, workgroupsOf } from "./programKernels.js"

/**
 * Trains a scheme's adapter for each seed; nothing is read back before the last step but the sizes recorded on the way.
 *
 * @throws InputError as `run` does; GpuFailure if the program has an operation without a kernel, the batch does not
 * fit, or the device fails.
 */
export async function runProgram(
  gpu: Gpu,
  scheme: Scheme,
  config: Omit<RunConfig, "seed" | "precision">,
  seeds: readonly number[],
): Promise<RunResult[]> {
  const { job, results } = programBatch(scheme, config, seeds)
  return results(await runJob(gpu, job))
}

/**
 * What a device has to do for the seeds' runs, and what its records say.
 *
 * @throws InputError as `run` does; GpuFailure if the program has an operation without a kernel.
 */
export function programBatch(
  scheme: Scheme,
  config: Omit<RunConfig, "seed" | "precision">,
  seeds: readonly number[],
): { readonly job: ProgramJob; readonly results: (records: readonly Float32Array[]) => RunResult[] } {
  requireRunnable(scheme, { ...config, seed: 0 })
  const { program } = scheme
  const sizes = sizesOf(scheme, config)
  const leaves = new Set<Node>([
    ...program.frozen.map(({ node }) => node),
    ...program.next.keys(),
    ...scheme.start.keys(),
  ])
  const roots = endsOf(program)
  const missing = unsupported(roots, leaves)
  if (missing !== null) throw new GpuFailure("unsupported", `${missing} has no kernel`)
  const items = itemsOf(scheme, sizes)
  const code = programCode(roots, program.next, leaves, items)
  const stride = code.stride(sizes)
  const starts = seeds.flatMap((seed, i) => {
    const put = (node: Node, data: Float64Array) => ({
      at: i * stride + code.placeOf(node, sizes),
      numbers: Float32Array.from(data),
    })
    const draw = { seed, width: config.width }
    return [
      ...program.frozen.map(({ node, deviation }) => put(node, drawn(node, deviation, sizes, draw).data)),
      ...[...scheme.start].flatMap(([leaf, deviation]) =>
        deviation === "zero" ? [] : [put(leaf, drawn(leaf, deviation, sizes, draw).data)],
      ),
    ]
  })
  const job: ProgramJob = {
    kernels: code.kernels.map((kernel) => ({
      label: kernel.label,
      code: kernel.code,
      workgroups: workgroupsOf(kernel, sizes, seeds.length),
    })),
    uniforms: Array.from({ length: config.steps }, (_, i) => new Uint32Array(code.uniform(sizes, seeds.length, i + 1))),
    numbers: stride * seeds.length,
    recorded: 2 * items.length * seeds.length,
    starts,
  }
  const results = (records: readonly Float32Array[]) =>
    seeds.map((_, i) =>
      resultOf(
        scheme,
        code,
        sizes,
        (step, item) => {
          const at = 2 * (item * seeds.length + i)
          return [records[step - 1]![at]!, records[step - 1]![at + 1]!]
        },
        config.steps,
      ),
    )
  return { job, results }
}

/** What is read of a step: the sizes, the loss, and the residual where a step can turn its sign. */
function itemsOf({ program }: Scheme, sizes: SpaceSizes): RecordItem[] {
  const entries = program.residual === null ? 0 : entriesOf(program.residual, sizes)
  return [
    { node: program.loss, kind: "entry", entry: 0 },
    ...Array.from({ length: entries }, (_, entry) => ({ node: program.residual!, kind: "entry" as const, entry })),
    ...measuredNodes(program).map((node) => ({ node, kind: "squares" as const, entry: 0 })),
  ]
}

function resultOf(
  { program }: Scheme,
  { items }: ProgramCode,
  sizes: SpaceSizes,
  read: (step: number, item: number) => readonly [number, number],
  steps: number,
): RunResult {
  const records = new StepRecords(program, sizes)
  for (let step = 1; step <= steps && records.outcome.kind === "finished"; step++) {
    const sizeOf = new Map<Node, number>()
    const residual: number[] = []
    items.forEach(({ node, kind }, item) => {
      const [value, squares] = read(step, item)
      if (kind === "squares") sizeOf.set(node, (value ** 2 * squares) / entriesOf(node, sizes))
      else if (node === program.residual && item > 0) residual.push(value)
    })
    const [loss] = read(step, 0)
    records.add({
      loss,
      residual: program.residual && Float64Array.from(residual),
      meanSquare: (node) => sizeOf.get(node)!,
    })
  }
  const { outcome, history } = records
  return { outcome, history }
}
