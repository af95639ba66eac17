import { environment } from "../report/environment.js"
import { findProviders, INSTALL_ENGINE } from "../train/graph/engine.js"
import { findPython, installTorch } from "../train/tuning/torch/python.js"
import { outputOptions, print } from "./terminal.js"

/** Options of `engines` as typed. */
export interface EnginesOptions {
  readonly json?: boolean
  readonly format: string
}

/** The engines of fine-tunings: what of each is installed, what is missing, and the line that installs it. */
export async function enginesCommand(options: EnginesOptions): Promise<number> {
  const output = outputOptions(options)
  const graph = await findProviders()
  const { python, versions, missing } = await findPython()
  const engines = [
    {
      engine: "graph",
      installed: graph.engine === null ? [] : [graph.engine],
      missing: graph.engine === null ? ["onnxruntime-node"] : [],
      install: INSTALL_ENGINE,
      python: null,
    },
    {
      engine: "torch",
      installed: Object.entries(versions).flatMap(([name, version]) =>
        version === null ? [] : [`${name} ${version}`],
      ),
      missing,
      install: installTorch(),
      python,
    },
  ]
  const listed = (names: readonly string[]) => (names.length === 0 ? "none" : names.join(", "))
  const rows = engines.map(({ engine, installed, missing }) => [engine, listed(installed), listed(missing)])
  const lines = engines.filter(({ missing }) => missing.length > 0).map(({ engine, install }) => [engine, install])
  print(output, { schema: "lora-scaling/engines/1", environment: environment(), engines }, [
    [
      `Engines of fine-tunings${python === null ? "" : `; torch is that of ${python}`}`,
      { columns: ["engine", "installed", "missing"], rows },
    ],
    ...(lines.length === 0
      ? []
      : ([["The line that installs what is missing", { columns: ["engine", "install"], rows: lines }]] as const)),
  ] as [string, { columns: string[]; rows: string[][] }][])
  return 0
}
