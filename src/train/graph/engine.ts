/** ONNX Runtime, which runs graphs: found through the optional package `onnxruntime-node`. */
import { createHash } from "node:crypto"
import { installLine } from "../../packageFile.js"
import { throwIfEnding } from "../thread.js"

/** What a user without the engine has to do: its install script only fetches CUDA's parts. */
export const INSTALL_ENGINE = installLine("onnxruntime-node")

/** Numbers that the engine holds. */
export interface GraphTensor {
  readonly data: unknown
  readonly dims: readonly number[]
}

/** One graph, ready to run. */
export interface GraphSession {
  /** The graph's outputs by name, given its inputs. */
  run(inputs: Readonly<Record<string, GraphTensor>>): Promise<Readonly<Record<string, GraphTensor>>>
  release(): Promise<void>
}

/** An engine with one of its execution providers. */
export interface Engine {
  /** "onnxruntime-node 1.30.0 cpu". */
  readonly name: string
  session(model: Uint8Array): Promise<GraphSession>
  tensor(data: Float32Array, dimensions: readonly number[]): GraphTensor
}

/** Why a graph was not run: the engine is missing, an operation has no form in it, or too much memory. */
export class GraphFailure extends Error {}

/** Sessions that are kept: neighbouring tasks share a graph. */
const KEPT = 8

/** The engine's name and what it can compute on here; null and nothing where the package is missing. */
export async function findProviders(): Promise<{
  readonly engine: string | null
  readonly providers: readonly { readonly name: string; readonly bundled: boolean }[]
}> {
  const ort = await load()
  if ("missing" in ort) return { engine: null, providers: [] }
  const providers = ort.listSupportedBackends().map(({ name, bundled }) => ({ name, bundled }))
  return { engine: versionOf(ort), providers }
}

/**
 * Opens the engine, by default on the CPU with one thread, so that results do not depend on how many there are.
 *
 * @param device one of {@link findProviders}.
 * @throws GraphFailure if the package is missing, or has no such device or cannot open it.
 */
export async function openEngine({ threads = 1, device = "cpu" } = {}): Promise<Engine> {
  const ort = await load()
  if ("missing" in ort) throw new GraphFailure(ort.missing)
  const names = ort.listSupportedBackends().map(({ name }) => name)
  if (!names.includes(device))
    throw new GraphFailure(`${versionOf(ort)} has no device ${device}, but ${names.join(", ")}`)
  const sessions = new Map<string, Promise<GraphSession>>()
  return {
    name: `${versionOf(ort)} ${device}`,
    session: (model) => {
      const key = createHash("sha256").update(model).digest("hex")
      const known = sessions.get(key)
      if (known !== undefined) return known
      const [oldest] = sessions
      if (sessions.size >= KEPT) {
        sessions.delete(oldest![0])
        oldest![1].then((session) => session.release())
      }
      const opened = ort.InferenceSession.create(model, {
        executionProviders: [device],
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
        // A plan of all memory beforehand takes a quarter more of it, and saves no time.
        enableMemPattern: false,
        logSeverityLevel: 3,
      }).then(endable, (error: Error) => {
        if (device === "cpu") throw error
        throw new GraphFailure(`${device} cannot be opened: ${reasonOf(error)}`)
      })
      sessions.set(key, opened)
      return opened
    },
    tensor: (data, dimensions) => new ort.Tensor("float32", data, dimensions),
  }
}

/** The session, which runs no more graphs where its thread is asked to end. */
function endable(session: GraphSession): GraphSession {
  return {
    run: async (inputs) => {
      throwIfEnding()
      return session.run(inputs)
    },
    release: () => session.release(),
  }
}

/** What is used of the package: its own types are not there for users who do without it. */
interface Runtime {
  readonly env: { readonly versions: { readonly node?: string } }
  readonly InferenceSession: { create(model: Uint8Array, options: object): Promise<GraphSession> }
  readonly Tensor: new (type: "float32", data: Float32Array, dimensions: readonly number[]) => GraphTensor
  listSupportedBackends(): { readonly name: string; readonly bundled: boolean }[]
}

/** Not a literal: the package need not be there when this file is compiled or bundled. */
const PACKAGE: string = "onnxruntime-node"

async function load(): Promise<Runtime | { readonly missing: string }> {
  // Read when the package is loaded.
  process.env.ORT_DISABLE_TELEMETRY = "1"
  try {
    return (await import(PACKAGE)) as Runtime
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const missing = code === "ERR_MODULE_NOT_FOUND" ? "is missing" : `cannot be loaded: ${message.split("\n")[0]}`
    return { missing: `the package onnxruntime-node ${missing}` }
  }
}

/** What a library says of a failure, without the places in its source. */
function reasonOf({ message }: Error): string {
  const said = message.split("\n")[0]!
  return said.replace(/^.*was false\. /, "")
}

function versionOf({ env }: Runtime): string {
  return `onnxruntime-node ${env.versions.node}`
}
