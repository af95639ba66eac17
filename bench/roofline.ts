import { execFile } from "node:child_process"
import { promisify } from "node:util"
import type { TeacherStudentConfig } from "../src/train/teacherStudentConfig.js"

/** What one core can do at most. */
export interface Machine {
  /** Floating-point operations a second, by the vectors' bits: WebAssembly has 128, AVX2 256, AVX-512 512. */
  readonly flops: Readonly<Record<128 | 256 | 512, number>>
  /** Bytes read from memory a second. */
  readonly bytes: number
}

/** The machine's limits as bench/machine.c measures them. */
export async function machine(program: string): Promise<Machine> {
  const { stdout } = await promisify(execFile)(program)
  const [narrow, middle, wide, bytes] = stdout.split(" ").map(Number)
  return { flops: { 128: narrow!, 256: middle!, 512: wide! }, bytes: bytes! }
}

/**
 * Work and traffic of a step from its shapes.
 *
 * Per entry of the activations: 2r for Z_B, 1 for H, 2 for Σ Z_B², 2 for f, and 2r each for ∇B, ∇Z_A, ∇A and the next
 * Z_A; 12 per entry of A and B for Adam. P and H are read once; the mask (a bit an entry) is written and read; the
 * factors and their moments are read and written.
 */
function workOf({ width: n, rank: r, samples: N }: Pick<TeacherStudentConfig, "width" | "rank" | "samples">) {
  return { flops: n * N * (10 * r + 5) + 24 * n * r, bytes: 8 * n * N + (n * N) / 4 + 48 * n * r }
}

/** What a step needs, what our kernel reaches of one core on vectors of so many bits, and which limit is nearer, as sentences. */
export function roofline(
  config: TeacherStudentConfig,
  seconds: number,
  bits: keyof Machine["flops"],
  { flops, bytes }: Machine,
): string {
  const work = workOf(config)
  const percent = (x: number) => `${(100 * x).toFixed(0)} %`
  const milliseconds = (x: number) => `${(1000 * x).toFixed(3)} ms`
  const [arithmetic, traffic] = [work.flops / flops[bits], work.bytes / bytes]
  return [
    `roofline: ${(work.flops / 1e6).toFixed(2)} MFLOP and ${(work.bytes / 1e6).toFixed(2)} MB a step,`,
    `${(work.flops / seconds / 1e9).toFixed(1)} GFLOP/s (${percent(arithmetic / seconds)} of the peak on ${bits} bits),`,
    `${(work.bytes / seconds / 1e9).toFixed(1)} GB/s (${percent(traffic / seconds)} of memory's).`,
    `At least ${milliseconds(arithmetic)} of arithmetic, ${milliseconds(traffic)} of traffic from memory:`,
    `${arithmetic > traffic ? "arithmetic" : "memory"} is what bounds a step here.`,
  ].join(" ")
}
