/** Where adapters lie in folders, and which of them are of one training, by their names. */
import { readdir, stat } from "node:fs/promises"
import { dirname, join } from "node:path"
import { countedIn, stemOf, type Time, timeOf } from "./time.js"

/** Where an adapter's file lies, and when it was written as its name says. */
export interface Place {
  readonly file: string
  readonly time: Time | null
  readonly label: string
}

/** Whether pickles are read, and those that were passed over because they are not. */
export interface Pickles {
  readonly pickles: boolean
  readonly passed: string[]
}

/** The names in a folder, sorted; a link counts as what it points to. */
export async function namesIn(folder: string): Promise<{ readonly folders: string[]; readonly files: string[] }> {
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

/** As a person would name it: "step 20". */
export const labelOf = ({ unit, count }: Time) => `${unit} ${count}`

/** Checkpoints of one training, in the folders that name them. */
interface Kept {
  readonly places: Place[]
  readonly folders: string[]
}

/**
 * The adapters in folders that count steps or epochs, by training: "" where all names are alike but for the count, else
 * by the rest of their names, and by the folder of an adapter's own name that PEFT makes within; and folders without
 * any. `isOne` where the names of all are alike but for the count.
 */
export async function checkpointsIn(folder: string, folders: readonly string[], pickles: Pickles) {
  const found: { readonly rest: string; readonly inner: string; readonly home: string; readonly place: Place }[] = []
  const empty: string[] = []
  for (const name of folders) {
    const counted = countedIn(name)
    if (counted === null) continue
    const { time, rest } = counted
    const home = join(folder, name)
    const within = await namesIn(home)
    const passed = pickles.passed.length
    const adapters = [{ inner: "", file: adapterFile(home, within.files, pickles) }]
    for (const inner of within.folders) {
      const file = adapterFile(join(home, inner), (await namesIn(join(home, inner))).files, pickles)
      adapters.push({ inner, file })
    }
    for (const { inner, file } of adapters)
      if (file !== null)
        found.push({ rest, inner, home, place: { file: join(home, inner, file), time, label: labelOf(time) } })
    if (adapters.every(({ file }) => file === null) && pickles.passed.length === passed) empty.push(name)
  }
  const isOne = new Set(found.map(({ rest }) => rest)).size === 1
  const trainings = new Map<string, Kept>()
  for (const { rest, inner, home, place } of found) {
    const name = [isOne ? "" : rest, inner].filter((part) => part !== "").join("/")
    const own = trainings.get(name) ?? { places: [], folders: [] }
    own.places.push(place)
    own.folders.push(dirname(place.file), home)
    trainings.set(name, own)
  }
  return { trainings, isOne, empty }
}

/** Adapters beside a run's checkpoints whose names do not count: folders and files that are no part of it. */
export async function adaptersBeside(
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

/** What ends the name of the index of a file in several parts. */
const INDEX = ".safetensors.index.json"

/** PEFT's and diffusers' name of an adapter in a folder. */
export function adapterFile(folder: string, names: readonly string[], pickles: Pickles): string | null {
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
export function series(names: readonly string[]): Place[][] {
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

/** A file's name without its ending. */
export const withoutEnding = (file: string) => file.replace(/(?:\.safetensors\.index\.json|\.[^.]+)$/, "")
