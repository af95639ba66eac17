/** Runs as they lie on disk: a folder with checkpoints, a single adapter, a folder of runs. */
import { readdir, stat } from "node:fs/promises"
import { basename, dirname, join } from "node:path"
import { type Adapter, adapterIn } from "../checkpoint/adapter.js"
import { openCheckpoint } from "../checkpoint/open.js"
import { type PeftConfig, readPeftConfig } from "../checkpoint/peftConfig.js"
import type { TensorFile } from "../checkpoint/tensorFile.js"
import { InputError } from "../inputError.js"
import { findLog, type Log } from "./log.js"

/** An adapter at one time of its training. */
export interface Checkpoint {
  /** Training steps done; null where the name does not say. */
  readonly step: number | null
  /** As a person would name it: "step 20", "final". */
  readonly label: string
  readonly path: string
  readonly config: PeftConfig | null
  readonly adapter: Adapter
}

/** One training run: its checkpoints in the order of time, and what was logged. */
export interface TrainingRun {
  readonly name: string
  readonly path: string
  readonly checkpoints: readonly Checkpoint[]
  readonly log: Log | null
  /** What was left out or taken for granted, a sentence each. */
  readonly notes: readonly string[]
}

/** Where an adapter's file lies, and when it was written. */
interface Place {
  readonly file: string
  readonly step: number | null
  readonly label: string
}

/** The most folders that are looked into under one path. */
const MOST_FOLDERS = 10_000
/** Runs may lie so many folders deep. */
const DEEPEST = 3

/**
 * The runs under a path: the one that it is, or those in its folders.
 *
 * @param pickles reads adapter_model.bin and other files by `torch.save` too, where no .safetensors lies beside them.
 * @throws InputError for a path without an adapter; MalformedFile for a file that is broken.
 */
export async function readRuns(path: string, pickles = false): Promise<TrainingRun[]> {
  const place = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw refusal(path, `a path that can be read (${error.code})`)
  })
  if (!place.isDirectory())
    return [
      await readRun(path, [{ file: path, step: stepOf(basename(path)), label: "the file" }], [dirname(path)], pickles),
    ]
  const found = { pickles, passed: null as string | null }
  const runs = await runsIn(path, 0, found)
  if (runs.length === 0 && found.passed !== null)
    throw refusal(found.passed, "an adapter that is no pickle, or --pickle: it is then parsed, never run")
  if (runs.length === 0)
    throw refusal(path, "a folder with adapter_model.safetensors, checkpoint-…, or adapters (.safetensors, .gguf)")
  return runs
}

function refusal(path: string, allowed: string): InputError {
  return new InputError({ field: "path", given: path, allowed, example: "inspect outputs/my-run" })
}

/** Whether pickles are read, and one that was passed over because they are not. */
interface Pickles {
  readonly pickles: boolean
  passed: string | null
}

async function runsIn(folder: string, depth: number, pickles: Pickles): Promise<TrainingRun[]> {
  const entries = (await readdir(folder, { withFileTypes: true })).sort((p, q) => (p.name < q.name ? -1 : 1))
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
  const files = entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name)
  if (folders.length > MOST_FOLDERS) throw refusal(folder, `at most ${MOST_FOLDERS} folders`)
  const places: Place[] = []
  for (const name of folders) {
    const step = stepOf(name)
    const file = step === null ? null : adapterFile(join(folder, name), await readdir(join(folder, name)), pickles)
    if (file !== null) places.push({ file: join(folder, name, file), step, label: `step ${step}` })
  }
  const here = adapterFile(folder, files, pickles)
  if (here !== null) {
    // The run's own adapter, beside its checkpoints, is the last; a checkpoint inspected alone knows its step by its
    // name.
    const step = places.length === 0 ? stepOf(basename(folder)) : null
    places.push({ file: join(folder, here), step, label: step === null ? "final" : `step ${step}` })
  }
  if (places.length > 0) {
    const checkpoints = places.map(({ file }) => dirname(file))
    const logs = await Promise.all(["runs", "logs"].map((name) => within(join(folder, name))))
    const passed = pickles.passed?.startsWith(folder)
      ? [`${pickles.passed} is a pickle and was passed over; --pickle reads it.`]
      : []
    return [
      await readRun(folder, places, [...new Set([folder, ...checkpoints, ...logs.flat()])], pickles.pickles, passed),
    ]
  }
  const runs: TrainingRun[] = []
  for (const own of series(files)) {
    const all = own.map((place) => ({ ...place, file: join(folder, place.file) }))
    runs.push(await readRun(join(folder, own.at(-1)!.label), all, [folder], pickles.pickles))
  }
  if (depth >= DEEPEST) return runs
  for (const name of folders)
    if (!name.startsWith(".")) runs.push(...(await runsIn(join(folder, name), depth + 1, pickles)))
  return runs
}

async function within(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  return entries.length === 0
    ? []
    : [folder, ...entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name))]
}

/** PEFT's and diffusers' name of an adapter in a folder. */
function adapterFile(folder: string, names: readonly string[], pickles: Pickles): string | null {
  const stems = ["adapter_model", "pytorch_lora_weights"]
  const find = (ending: string) => stems.map((stem) => stem + ending).find((name) => names.includes(name)) ?? null
  const pickle = find(".bin")
  const safe = find(".safetensors")
  if (safe === null && pickle !== null && !pickles.pickles) pickles.passed ??= join(folder, pickle)
  return safe ?? (pickles.pickles ? pickle : null)
}

/**
 * Adapters that lie side by side, those of one training together, as kohya's scripts write them: x-000001,
 * x-step00000100, x.
 */
function series(names: readonly string[]): Place[][] {
  const trainings = new Map<string, Place[]>()
  for (const file of names.filter((name) => /\.(safetensors|gguf)$/.test(name) && !/^model[.-]/.test(name))) {
    const label = file.replace(/\.[^.]+$/, "")
    const stem = label.replace(/[-_](?:(?:step|epoch|iter)[-_]?\d+|\d{6,})$/i, "")
    trainings.set(stem, [...(trainings.get(stem) ?? []), { file, step: stepOf(file), label }])
  }
  return [...trainings.values()]
}

/** The number of steps (or epochs) in a name. */
function stepOf(name: string): number | null {
  const found = /(?:^|[-_])(?:checkpoint|global_?step|step|iter|epoch)[-_]?0*(\d{1,12})(?:\D|$)|-(\d{6})\.\w+$/i.exec(
    name,
  )
  return found === null ? null : Number(found[1] ?? found[2])
}

async function readRun(
  path: string,
  places: readonly Place[],
  folders: readonly string[],
  pickles: boolean,
  passed: readonly string[] = [],
): Promise<TrainingRun> {
  const opened: TensorFile[] = []
  const checkpoints: Checkpoint[] = []
  const notes = [...passed]
  try {
    for (const { file, step, label } of places) {
      const tensors = await openCheckpoint(file, pickles)
      opened.push(tensors)
      const config = await configBeside(file)
      checkpoints.push({ step, label, path: file, config, adapter: await adapterIn(tensors, config) })
    }
  } finally {
    // Tensors are opened again where they are measured, one module at a time.
    for (const file of opened) await file.close()
  }
  const order = (step: number | null) => step ?? Number.POSITIVE_INFINITY
  checkpoints.sort((p, q) => order(p.step) - order(q.step))
  const log = await findLog(folders)
  if (log !== null) notes.push(`Losses and rates are read from ${log.source}.`)
  const last = checkpoints.at(-1)!
  if (last.adapter.others.length > 0)
    notes.push(
      `${last.adapter.others.length} tensors are no LoRA factors and are not measured, as ${last.adapter.others[0]}.`,
    )
  if (last.adapter.modules.some(({ magnitude }) => magnitude !== null))
    notes.push(
      "This is a DoRA adapter: factors and magnitudes are measured; the size of its effect also depends on ‖W + s·BA‖, which is not.",
    )
  return { name: basename(path), path, checkpoints, log, notes }
}

async function configBeside(file: string): Promise<PeftConfig | null> {
  const path = join(dirname(file), "adapter_config.json")
  return (await stat(path).catch(() => null)) === null ? null : readPeftConfig(path)
}
