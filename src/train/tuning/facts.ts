/** What a plan of fine-tunings has to know of models and texts: read once, before any run. */
import { createHash } from "node:crypto"
import { createReadStream } from "node:fs"
import { readdir, stat } from "node:fs/promises"
import { basename, isAbsolute, join } from "node:path"
import { pathOrHub } from "../../checkpoint/hub/cache.js"
import { openCheckpoint } from "../../checkpoint/open.js"
import { readPretrainedConfig } from "../../checkpoint/pretrained.js"
import { configOf, type PretrainedConfig } from "../../checkpoint/pretrainedConfig.js"
import { readTokenizer } from "../../checkpoint/tokenizer.js"
import { InputError, inside } from "../../inputError.js"
import type { Metric, TuningTask } from "./task.js"
import { readTask } from "./tasks.js"
import { textSequences } from "./text.js"

/** A model as a plan knows it. */
export interface CheckpointFacts {
  readonly path: string
  /** SHA-256 of what decides its numbers: sizes, weights and tokenizer. */
  readonly hash: string
  readonly model: PretrainedConfig
  /** How many numbers its weights are. */
  readonly parameters: number
  /** How many sequences an epoch has, where steps are counted in epochs; the tokenizer decides it where texts run on. */
  readonly sequences: number | null
}

/** What a plan knows of a sweep's files. */
export interface TuningFacts {
  readonly checkpoints: readonly CheckpointFacts[]
  readonly task: {
    readonly name: string
    /** SHA-256 of its texts and how they are judged. */
    readonly hash: string
    readonly metric: Metric
    readonly classes: number | null
  }
  /** The folder that the task's paths start from. */
  readonly folder: string
}

/** What the files of a sweep will be like, as its configuration says where they are not there. */
export interface ExpectedFiles {
  readonly models: readonly { readonly config: object; readonly parameters: number }[]
  readonly sequences: number
  readonly classes: number | null
}

/**
 * What a plan has to know, by what is expected of files: good for counting runs and what they take, not for doing them.
 *
 * @throws InputError unless there is a model for each checkpoint; MalformedFile as `configOf`.
 */
export function expectedFacts(
  checkpoints: readonly string[],
  { models, sequences, classes }: ExpectedFiles,
  folder: string,
): TuningFacts {
  if (models.length !== checkpoints.length)
    throw new InputError({
      field: "expected.models",
      given: models.length,
      allowed: `a model for each of the ${checkpoints.length} checkpoints`,
      example: checkpoints.join(", "),
    })
  const found = models.map(({ config, parameters }, i): CheckpointFacts => {
    const model = configOf(`expected.models[${i}].config`, config)
    return { path: checkpoints[i]!, hash: `expected ${i}`, model, parameters, sequences }
  })
  return { checkpoints: found, task: { name: "expected", hash: "expected", metric: "accuracy", classes }, folder }
}

/** What of a configuration names files, and whether steps are counted in epochs. */
interface Asked {
  readonly checkpoints: readonly string[]
  readonly task: unknown
  readonly length: number
  readonly epochs?: number
}

/**
 * Reads what a plan has to know.
 *
 * @param folder that relative paths start from.
 * @throws InputError naming the field for a model or task that is not read.
 */
export async function tuningFacts(
  { checkpoints, task: given, length, epochs }: Asked,
  folder: string,
): Promise<TuningFacts> {
  const task = await readTask(given, folder)
  const found: CheckpointFacts[] = []
  for (const [i, path] of checkpoints.entries()) {
    const field = `checkpoints[${i}]`
    const place = await pathOrHub("model", path, isAbsolute(path) ? path : join(folder, path), field)
    const counted = epochs === undefined ? null : length
    const own = await checkpointFacts(place, task, counted).catch((error: unknown) => {
      throw inside(error, field)
    })
    const same = found.findIndex(({ hash }) => hash === own.hash)
    if (same !== -1)
      throw new InputError({
        field,
        given: path,
        allowed: `a model of its own: it is that of checkpoints[${same}]`,
        example: checkpoints[same]!,
      })
    found.push(own)
  }
  const { name, metric, train } = task
  const hash = createHash("sha256").update(JSON.stringify(task)).digest("hex")
  const classes = train.kind === "classification" ? train.classes : null
  return { checkpoints: found, task: { name, hash, metric, classes }, folder }
}

async function checkpointFacts(path: string, { train }: TuningTask, length: number | null): Promise<CheckpointFacts> {
  const model = await readPretrainedConfig(path)
  const file = await openCheckpoint(path)
  const parameters = [...file.tensors.values()].reduce(
    (sum, { shape }) => sum + shape.reduce((product, side) => product * side, 1),
    0,
  )
  await file.close()
  const tokenizer = await readTokenizer(path)
  const counted = (most: number) =>
    train.kind === "causal" ? textSequences(tokenizer, train, most).length : train.examples.length
  const sequences = length === null ? null : counted(length)
  return { path, hash: await contentHash(path), model, parameters, sequences }
}

/** Of a folder's files those that decide what the model computes. */
const DECIDING = /^(config|tokenizer|tokenizer_config)\.json$|\.safetensors$|\.safetensors\.index\.json$/

/** SHA-256 of the files' names and contents. */
async function contentHash(path: string): Promise<string> {
  const isFolder = (await stat(path)).isDirectory()
  const names = isFolder ? (await readdir(path)).filter((name) => DECIDING.test(name)).sort() : [""]
  const all = createHash("sha256")
  for (const name of names) {
    const own = createHash("sha256")
    for await (const part of createReadStream(join(path, name))) own.update(part as Buffer)
    all.update(`${isFolder ? basename(name) : ""} ${own.digest("hex")}\n`)
  }
  return all.digest("hex")
}
