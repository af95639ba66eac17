/** When in its training an adapter was kept: what names and metadata say, and the order that follows. */
import type { MetadataValue } from "../checkpoint/tensorFile.js"
import { InputError } from "../inputError.js"

/** A count of training steps or of epochs; an epoch's number may start at 0 or 1. */
export interface Time {
  readonly unit: "step" | "epoch"
  readonly count: number
}

/** How names end that count, without the file's ending. The first that fits says. */
const FORMS: readonly (readonly [RegExp, Time["unit"]])[] = [
  [/(?:^|[-_])(?:checkpoint|global_?step|step|iter)[-_]?0*(\d{1,12})(\D.*)?$/i, "step"],
  [/(?:^|[-_])epoch[-_]?0*(\d{1,12})(\D.*)?$/i, "epoch"],
  // kohya's epochs and ai-toolkit's steps.
  [/-(\d{6})$/, "epoch"],
  [/_(\d{9})$/, "step"],
]

/** The count in the name of a folder, or of a file without its ending; null where it has none. */
export function timeOf(name: string): Time | null {
  return countedIn(name)?.time ?? null
}

/** As `timeOf`, with the rest of the name, which checkpoints of one training share: "" of checkpoint-100. */
export function countedIn(name: string): { readonly time: Time; readonly rest: string } | null {
  for (const [of, unit] of FORMS) {
    const found = of.exec(name)
    if (found === null) continue
    const rest = `${name.slice(0, found.index)}${found[2] ?? ""}`
    return { time: { unit, count: Number(found[1]) }, rest: rest.replace(/^[-_]+/, "") }
  }
  return null
}

/** What files of one training share: a name without its count at the end. */
export function stemOf(name: string): string {
  return name.replace(/[-_](?:(?:step|epoch|iter)[-_]?\d{1,12})$|-\d{6}$|_\d{9}$/i, "")
}

/** The steps that kohya's scripts write into a file beside its tensors (`ss_steps`); null where it has none. */
export function stepsWithin(metadata: ReadonlyMap<string, MetadataValue>): number | null {
  const steps = metadata.get("ss_steps")
  return typeof steps === "string" && /^\d{1,12}$/.test(steps) ? Number(steps) : null
}

/** What is put in order. */
interface Timed {
  readonly path: string
  readonly step: number | null
  readonly epoch: number | null
}

/**
 * In the order of training: by steps where all that are counted have them, else by epochs; what is not counted is last.
 *
 * @throws InputError where some are counted in steps alone and others in epochs alone.
 */
export function inOrder<T extends Timed>(kept: readonly T[]): T[] {
  const counted = kept.filter(({ step, epoch }) => step !== null || epoch !== null)
  const by = (["step", "epoch"] as const).find((unit) => counted.every((one) => one[unit] !== null))
  if (by === undefined) {
    const [steps, epochs] = [counted.find(({ step }) => step !== null)!, counted.find(({ step }) => step === null)!]
    throw new InputError({
      field: "path",
      given: `${steps.path} counts steps, ${epochs.path} epochs`,
      allowed: "checkpoints of one run that are all counted in steps, or all in epochs",
      example: "inspect the two kinds apart",
    })
  }
  return [...kept].sort((p, q) => (p[by] ?? Number.MAX_VALUE) - (q[by] ?? Number.MAX_VALUE))
}
