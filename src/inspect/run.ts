/** Runs as they lie on disk: a folder with checkpoints, a single adapter, a folder of runs. */
import { readdir, stat } from "node:fs/promises"
import { basename, dirname, join, resolve } from "node:path"
import { type Adapter, adapterIn } from "../checkpoint/adapter.js"
import { openCheckpoint } from "../checkpoint/open.js"
import { type PeftConfig, readPeftConfig } from "../checkpoint/peftConfig.js"
import type { TensorFile } from "../checkpoint/tensorFile.js"
import { InputError } from "../inputError.js"
import { findLog, type Log } from "./log.js"
import {
  adapterFile,
  adaptersBeside,
  checkpointsIn,
  labelOf,
  namesIn,
  type Pickles,
  type Place,
  series,
  withoutEnding,
} from "./places.js"
import { inOrder, stepsWithin, timeOf } from "./time.js"

/** An adapter at one time of its training. */
export interface Checkpoint {
  /** Training steps done; null where neither the name nor the file says. */
  readonly step: number | null
  /** The epoch that the name counts; null where it counts none. */
  readonly epoch: number | null
  /** As a person would name it: "step 20", "epoch 2", "final". */
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

/** The most folders that are looked into under one path. */
const MOST_FOLDERS = 10_000
/** Runs may lie so many folders deep. */
const DEEPEST = 3

/**
 * The runs under a path: the one that it is, or those in its folders.
 *
 * @param given a folder or a file; a slash at its end says nothing.
 * @param pickles reads adapter_model.bin and other files by `torch.save` too, where no .safetensors lies beside them.
 * @throws InputError for a path without an adapter; MalformedFile for a file that is broken.
 */
export async function readRuns(given: string, pickles = false): Promise<TrainingRun[]> {
  const path = given.replace(/(?<=.)[/\\]+$/, "")
  const place = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw refusal(path, `a path that can be read (${error.code})`)
  })
  if (!place.isDirectory()) {
    const places = [{ file: path, time: timeOf(withoutEnding(basename(path))), label: "the file" }]
    return [await readRun(path, places, [dirname(path)], pickles)]
  }
  const found: Pickles = { pickles, passed: [] }
  const runs = await runsIn(path, 0, found)
  if (runs.length === 0 && found.passed.length > 0)
    throw refusal(found.passed[0]!, "an adapter that is no pickle, or --pickle: it is then parsed, never run")
  if (runs.length === 0)
    throw refusal(path, "a folder with adapter_model.safetensors, checkpoint-…, or adapters (.safetensors, .gguf)")
  return runs
}

function refusal(path: string, allowed: string): InputError {
  return new InputError({ field: "path", given: path, allowed, example: "inspect outputs/my-run" })
}

/** The last part of a path, "." too. */
const nameOf = (path: string) => basename(resolve(path))

async function runsIn(folder: string, depth: number, pickles: Pickles): Promise<TrainingRun[]> {
  const { folders, files } = await namesIn(folder)
  if (folders.length > MOST_FOLDERS) throw refusal(folder, `at most ${MOST_FOLDERS} folders`)
  const { trainings, isOne, empty } = await checkpointsIn(folder, folders, pickles)
  const here = adapterFile(folder, files, pickles)
  if (here !== null) {
    // The run's own adapter, beside its checkpoints, is the last; a checkpoint inspected alone knows its step by its
    // name.
    const { places, folders: own } = trainings.get("") ?? { places: [], folders: [] }
    const time = places.length === 0 ? timeOf(nameOf(folder)) : null
    const place = { file: join(folder, here), time, label: time === null ? "final" : labelOf(time) }
    trainings.set("", { places: [...places, place], folders: own })
  }
  if (trainings.size > 0) {
    const logs = (await Promise.all(["runs", "logs"].map((name) => within(join(folder, name))))).flat()
    const left = await adaptersBeside(folder, folders, files, here)
    const notes = notesOf(folder, empty, left, pickles)
    const runs: TrainingRun[] = []
    for (const [name, { places, folders: own }] of trainings) {
      const path = name === "" ? folder : join(folder, name)
      const called = { name: name === "" ? nameOf(folder) : `${nameOf(folder)}/${name}`, notes }
      // A log beside several trainings does not say whose it is.
      const shared = name === "" || isOne ? [folder, ...logs] : []
      runs.push(await readRun(path, places, [...new Set([...own, ...shared])], pickles.pickles, called))
    }
    return runs
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

function notesOf(
  folder: string,
  empty: readonly string[],
  left: readonly string[],
  { passed }: Pickles,
): readonly string[] {
  const some = (names: readonly string[]) =>
    names.length > 3 ? `${names.slice(0, 3).join(", ")} and ${names.length - 3} more` : names.join(", ")
  const pickled = passed.filter((path) => path.startsWith(join(folder, "/")))
  return [
    ...(pickled.length === 0 ? [] : [`Pickles were passed over; --pickle reads them: ${some(pickled)}.`]),
    ...(empty.length === 0 ? [] : [`Without an adapter, and left out: ${some(empty)}.`]),
    ...(left.length === 0
      ? []
      : [`Adapters whose names count no steps are left out; inspect them by their own paths: ${some(left)}.`]),
  ]
}

async function within(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  return entries.length === 0
    ? []
    : [folder, ...entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name))]
}

async function readRun(
  path: string,
  places: readonly Place[],
  folders: readonly string[],
  pickles: boolean,
  { name, notes: passed }: { readonly name: string; readonly notes: readonly string[] } = {
    name: nameOf(path),
    notes: [],
  },
): Promise<TrainingRun> {
  const opened: TensorFile[] = []
  const read: Checkpoint[] = []
  const notes = [...passed]
  try {
    for (const { file, time, label } of places) {
      const tensors = await openCheckpoint(file, pickles)
      opened.push(tensors)
      const config = await configBeside(file)
      const step = time?.unit === "step" ? time.count : stepsWithin(tensors.metadata)
      const epoch = time?.unit === "epoch" ? time.count : null
      read.push({ step, epoch, label, path: file, config, adapter: await adapterIn(tensors, config) })
    }
  } finally {
    // Tensors are opened again where they are measured, one module at a time.
    for (const file of opened) await file.close()
  }
  const checkpoints = inOrder(read)
  const { log, unread } = await findLog(folders)
  if (log !== null) notes.push(`Losses and rates are read from ${log.source}.`)
  for (const why of unread) notes.push(`No table, and not read as a log: ${why}`)
  const last = checkpoints.at(-1)!
  if (last.adapter.others.length > 0)
    notes.push(
      `${last.adapter.others.length} tensors are no LoRA factors and are not measured, as ${last.adapter.others[0]}.`,
    )
  const { ofExperts } = last.adapter
  if (ofExperts.length > 0)
    notes.push(
      `${ofExperts.length} modules hold the factors of several experts in one and are not measured, as ${ofExperts[0]}.`,
    )
  if (last.adapter.modules.some(({ magnitude }) => magnitude !== null))
    notes.push(
      "This is a DoRA adapter: factors and magnitudes are measured; the size of its effect also depends on ‖W + s·BA‖, which is not.",
    )
  return { name, path, checkpoints, log, notes }
}

async function configBeside(file: string): Promise<PeftConfig | null> {
  const path = join(dirname(file), "adapter_config.json")
  return (await stat(path).catch(() => null)) === null ? null : readPeftConfig(path)
}
