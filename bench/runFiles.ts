import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { gaussians } from "../src/train/random.js"
import type { TeacherStudentConfig, TeacherStudentData } from "../src/train/teacherStudentConfig.js"
import { startOf, teacherStudentData } from "../src/train/wasm/teacherStudentData.js"

/** Writes a run's data and start as files of float32, for the contenders that are other programs (rank 4). */
export async function writeRun(config: TeacherStudentConfig, folder: string): Promise<TeacherStudentData> {
  const { width, samples, inputs, seed } = config
  const data = teacherStudentData(config)
  const { A, B } = startOf(config)
  const transposed = Float32Array.from(A, (_, at) => A[(at % 4) * width + Math.floor(at / 4)]!)
  const files = {
    P: data.P,
    H: data.H,
    wOut: Float32Array.from(data.wOut),
    y: Float32Array.from(data.y),
    "A transposed": transposed,
    B: Float32Array.from(B),
    X: Float32Array.from(gaussians(seed, "X", inputs * samples)),
    W_in: Float32Array.from(gaussians(seed, `W_in n=${width}`, width * inputs, Math.sqrt(2 / inputs))),
  }
  for (const [name, values] of Object.entries(files)) await writeFile(join(folder, name), values)
  return data
}
