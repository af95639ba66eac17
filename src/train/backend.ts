import { openGpuTrainer } from "./gpu/teacherStudent.js"
import type { BackendName, OpenOptions, TeacherStudentTrainer } from "./teacherStudent.js"
import type { TeacherStudentConfig } from "./teacherStudentConfig.js"
import { openCpu } from "./wasm/cpu.js"

/** What can train the teacher-student experiment, by name. */
const BACKENDS: Record<
  BackendName,
  (config: TeacherStudentConfig, options: OpenOptions) => TeacherStudentTrainer | Promise<TeacherStudentTrainer>
> = { cpu: openCpu, gpu: openGpuTrainer }

/** A trainer's defaults: float32, one thread, 8 GiB. */
const DEFAULTS: OpenOptions = { precision: "float32", activations: "float32", threads: 1, memoryLimit: 8 * 2 ** 30 }

/**
 * Opens a trainer for the network, data and rank of a configuration.
 *
 * @throws InputError if it needs more memory than the limit.
 */
export async function openTrainer(
  config: TeacherStudentConfig,
  { backend = "cpu", ...options }: Partial<OpenOptions> & { readonly backend?: BackendName } = {},
): Promise<TeacherStudentTrainer> {
  return BACKENDS[backend](config, { ...DEFAULTS, ...options })
}
