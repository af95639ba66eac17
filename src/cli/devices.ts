import { environment } from "../report/environment.js"
import { findAdapters, INSTALL, LIMITS } from "../train/gpu/graphicsAdapter.js"
import { findProviders, INSTALL_ENGINE } from "../train/graph/engine.js"
import { outputOptions, print } from "./terminal.js"

/** Options of `devices` as typed. */
export interface DevicesOptions {
  readonly json?: boolean
  readonly format: string
}

/**
 * The adapters that WebGPU finds, with the limits that matter here, and the providers of graphs; or what is missing and
 * how to install it.
 */
export async function devicesCommand(options: DevicesOptions): Promise<number> {
  const output = outputOptions(options)
  const found = await findAdapters()
  const graph = await findProviders()
  const isMissing = "missing" in found
  const adapters = isMissing ? [] : found.map(({ adapter: _, ...rest }) => rest)
  const json = {
    schema: "lora-scaling/devices/1",
    environment: environment(),
    adapters,
    missing: isMissing ? found.missing : null,
    install: INSTALL,
    graph: { ...graph, install: INSTALL_ENGINE },
  }
  const columns = ["adapter", "software", "float16", ...LIMITS]
  const rows = adapters.map(({ name, software, features, limits }) => [
    name,
    software ? "yes" : "no",
    features.includes("shader-f16") ? "yes" : "no",
    ...LIMITS.map((limit) => limits[limit]),
  ])
  const heading = isMissing ? `No GPU: ${found.missing} is missing. ${INSTALL}` : "Adapters for --backend gpu"
  const graphHeading =
    graph.engine === null
      ? `No graphs: the package onnxruntime-node is missing. ${INSTALL_ENGINE}`
      : `Devices of ${graph.engine} for --backend graph --device; cpu is the default, others need their libraries`
  const providers = graph.providers.map(({ name, bundled }) => [name, bundled ? "yes" : "no"])
  print(output, json, [
    [heading, { columns, rows }],
    [graphHeading, { columns: ["device", "bundled"], rows: providers }],
  ])
  return 0
}
