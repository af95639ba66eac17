/** Runs as they lie on disk: a folder with checkpoints, a single adapter, a folder of runs. */
import { readdir, stat } from "node:fs/promises"
import { basename, dirname, join } from "node:path"
import { type Adapter, adapterIn } from "../checkpoint/adapter.js"
import { openCheckpoint } from "../checkpoint/open.js"
import { type PeftConfig, readPeftConfig } from "../checkpoint/peftConfig.js"
import type { TensorFile } from "../checkpoint/tensorFile.js"
import { InputError } from "../inputError.js"
import { findLog, type Log } from "./log.js"
import { inOrder, stemOf, stepsWithin, type Time, timeOf } from "./time.js"

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

/** Where an adapter's file lies, and when it was written as its name says. */
interface Place {
  readonly file: string
  readonly time: Time | null
  readonly label: string
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

/** Whether pickles are read, and those that were passed over because they are not. */
interface Pickles {
  readonly pickles: boolean
  readonly passed: string[]
}

/** The names in a folder, sorted; a link counts as what it points to. */
async function namesIn(folder: string): Promise<{ readonly folders: string[]; readonly files: string[] }> {
  const entries = (await readdir(folder, { withFileTypes: true })).sort((p, q) => (p.name < q.name ? -1 : 1))
  const isFolder = await Promise.all(
    entries.map(async (entry) =>
      entry.isSymbolicLink()
        ? ((await stat(join(folder, entry.name)).catch(() => null))?.isDirectory() ?? false)
        : entry.isDirectory(),
    ),
  )
  const names = (folders: boolean) => entries.filter((_, i) => isFolder[i] === folders).map(({ name }) => name)
  return { folders: names(true), files: names(false) }
}

async function runsIn(folder: string, depth: number, pickles: Pickles): Promise<TrainingRun[]> {
  const { folders, files } = await namesIn(folder)
  if (folders.length > MOST_FOLDERS) throw refusal(folder, `at most ${MOST_FOLDERS} folders`)
  const { places, named, empty } = await checkpointsIn(folder, folders, pickles)
  const here = adapterFile(folder, files, pickles)
  if (here !== null) {
    // The run's own adapter, beside its checkpoints, is the last; a checkpoint inspected alone knows its step by its
    // name.
    const time = places.length === 0 ? timeOf(basename(folder)) : null
    places.push({ file: join(folder, here), time, label: time === null ? "final" : labelOf(time) })
  }
  if (places.length + named.size > 0) {
    const logs = (await Promise.all(["runs", "logs"].map((name) => within(join(folder, name))))).flat()
    const left = await adaptersBeside(folder, folders, files, here)
    const notes = notesOf(folder, empty, left, pickles)
    const run = (path: string, name: string, own: readonly Place[], checkpoints: readonly string[]) =>
      readRun(path, own, [...new Set([folder, ...checkpoints, ...logs])], pickles.pickles, { name, notes })
    const runs: TrainingRun[] = []
    if (places.length > 0)
      runs.push(
        await run(
          folder,
          basename(folder),
          places,
          places.map(({ file }) => dirname(file)),
        ),
      )
    for (const [name, own] of named) {
      const checkpoints = own.map(({ file }) => dirname(dirname(file)))
      runs.push(await run(join(folder, name), `${basename(folder)}/${name}`, own, checkpoints))
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

const labelOf = ({ unit, count }: Time) => `${unit} ${count}`

/**
 * The adapters in folders that count steps or epochs; those that PEFT keeps in a folder of their own name within, by
 * that name; and the folders without any.
 */
async function checkpointsIn(folder: string, folders: readonly string[], pickles: Pickles) {
  const places: Place[] = []
  const named = new Map<string, Place[]>()
  const empty: string[] = []
  for (const name of folders) {
    const time = timeOf(name)
    if (time === null) continue
    const place = join(folder, name)
    const within = await namesIn(place)
    const passed = pickles.passed.length
    const adapters = [{ name: "", file: adapterFile(place, within.files, pickles) }]
    for (const inner of within.folders) {
      const file = adapterFile(join(place, inner), (await namesIn(join(place, inner))).files, pickles)
      adapters.push({ name: inner, file })
    }
    for (const { name: own, file } of adapters) {
      if (file === null) continue
      const found = { file: join(place, own, file), time, label: labelOf(time) }
      if (own === "") places.push(found)
      else named.set(own, [...(named.get(own) ?? []), found])
    }
    if (adapters.every(({ file }) => file === null) && pickles.passed.length === passed) empty.push(name)
  }
  return { places, named, empty }
}

/** Adapters beside a run's checkpoints whose names do not count: folders and files that are no part of it. */
async function adaptersBeside(
  folder: string,
  folders: readonly string[],
  files: readonly string[],
  here: string | null,
): Promise<string[]> {
  const beside = series(files.filter((name) => name !== here)).flatMap((own) => own.map(({ file }) => file))
  for (const name of folders.filter((name) => timeOf(name) === null && !name.startsWith(".")))
    if (adapterFile("", (await namesIn(join(folder, name))).files, { pickles: true, passed: [] }) !== null)
      beside.push(name)
  return beside
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

/** What ends the name of the index of a file in several parts. */
const INDEX = ".safetensors.index.json"

/** PEFT's and diffusers' name of an adapter in a folder. */
function adapterFile(folder: string, names: readonly string[], pickles: Pickles): string | null {
  const stems = ["adapter_model", "pytorch_lora_weights"]
  const find = (ending: string) => stems.map((stem) => stem + ending).find((name) => names.includes(name)) ?? null
  const pickle = find(".bin")
  const safe = find(".safetensors") ?? find(INDEX)
  if (safe === null && pickle !== null && !pickles.pickles) pickles.passed.push(join(folder, pickle))
  return safe ?? (pickles.pickles ? pickle : null)
}

/**
 * Adapters that lie side by side, those of one training together and the latest last, as kohya's scripts (x-000001,
 * x-step00000100, x) and ai-toolkit (x_000000250, x) write them.
 */
function series(names: readonly string[]): Place[][] {
  const trainings = new Map<string, Place[]>()
  const part = /-\d{5}-of-\d{5}\.safetensors$/
  const isPart = (name: string) => part.test(name) && names.includes(name.replace(part, INDEX))
  const isAdapter = (name: string) => name.endsWith(INDEX) || (/\.(safetensors|gguf)$/.test(name) && !isPart(name))
  for (const file of names.filter((name) => isAdapter(name) && !/^model[.-]/.test(name))) {
    const label = withoutEnding(file)
    const stem = `${stemOf(label)}${file.slice(label.length)}`
    trainings.set(stem, [...(trainings.get(stem) ?? []), { file, time: timeOf(label), label }])
  }
  const count = ({ time }: Place) => time?.count ?? Number.MAX_VALUE
  return [...trainings.values()].map((places) => places.sort((p, q) => count(p) - count(q)))
}

const withoutEnding = (file: string) => file.replace(/(?:\.safetensors\.index\.json|\.[^.]+)$/, "")

async function readRun(
  path: string,
  places: readonly Place[],
  folders: readonly string[],
  pickles: boolean,
  { name, notes: passed }: { readonly name: string; readonly notes: readonly string[] } = {
    name: basename(path),
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
