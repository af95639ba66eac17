import { execFile } from "node:child_process"
import { promisify } from "node:util"
import type { TeacherStudentConfig } from "../src/train/teacherStudentConfig.js"

/** What one core can do at most: floating-point operations and bytes read from memory a second. */
export interface Machine {
  readonly flops: number
  readonly bytes: number
}

/** The machine's limits as bench/machine.c measures them. */
export async function machine(program: string): Promise<Machine> {
  const { stdout } = await promisify(execFile)(program)
  const [flops, bytes] = stdout.split(" ").map(Number)
  return { flops: flops!, bytes: bytes! }
}

/**
 * Work and traffic of a step from its shapes.
 *
 * Per entry of the activations: 2r for Z_B, 1 for H, 2 for Σ Z_B², 2 for f, and 2r each for ∇B, ∇Z_A, ∇A and the next Z_A;
 * 12 per entry of A and B for Adam. P and H are read once; the mask (a bit an entry) is written and read; the factors
 * and their moments are read and written.
 */
function workOf({ width: n, rank: r, samples: N }: Pick<TeacherStudentConfig, "width" | "rank" | "samples">): Machine {
  return { flops: n * N * (10 * r + 5) + 24 * n * r, bytes: 8 * n * N + (n * N) / 4 + 48 * n * r }
}

/** One sentence: what the step needs, what it reaches of the machine, and which limit is nearer. */
export function roofline(config: TeacherStudentConfig, seconds: number, limits: Machine): string {
  const work = workOf(config)
  const percent = (x: number) => `${(100 * x).toFixed(0)} %`
  const [arithmetic, traffic] = [work.flops / limits.flops, work.bytes / limits.bytes]
  return [
    `roofline: ${(work.flops / 1e6).toFixed(2)} MFLOP and ${(work.bytes / 1e6).toFixed(2)} MB a step,`,
    `${(work.flops / seconds / 1e9).toFixed(1)} GFLOP/s (${percent(arithmetic / seconds)} of the peak),`,
    `${(work.bytes / seconds / 1e9).toFixed(1)} GB/s (${percent(traffic / seconds)} of memory's);`,
    `at least ${(1000 * arithmetic).toFixed(3)} ms of arithmetic, ${(1000 * traffic).toFixed(3)} ms of traffic from memory`,
  ].join(" ")
}
