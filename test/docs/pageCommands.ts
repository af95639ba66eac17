import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../../", import.meta.url))
const docs = (await readdir(join(root, "docs"), { recursive: true })).filter((name) => name.endsWith(".md")).sort()
/** The README and the pages of docs. */
export const pages = ["README.md", ...docs.map((name) => `docs/${name}`)]

/** Commands of pages that commands.test.ts does not run, and why not. */
export const ELSEWHERE: readonly [RegExp, string][] = [
  [/^npm ci && npm run reproduce -- --quick$/, "the main job, run by .ci/run from a clean checkout"],
  [/^npm test$/, "these tests themselves"],
  [/^npm run reproduce -- --quick --only derived teacher-student$/, "a part of the main job"],
  [/^npm run reproduce -- --full/, "hours"],
  [/^npm install (webgpu|onnxruntime-node)/, "installs a package; .ci/run has installed it"],
  [/--backend (gpu|graph|auto)/, "needs one of those packages; test/train/gpu and test/train/graph run them"],
  [/^npm run bench(:job)? --.*--python/, "needs PyTorch; what it compares is tested in test/train"],
  [/^npm run bench$/, "minutes; its short form is run"],
  [/^npm run bench -- --widths 2048/, "minutes; its short form is run"],
  [/^npm run bench -- --schemes --widths 256 4096$/, "seven runs of each in turn; its short form, one, is run"],
  [/^npm run bench -- --against/, "builds another commit of this repository"],
  [/examples\/figure\.yaml/, "hours"],
  [/^npm run family$/, "minutes, and downloads packages; test/train/tuning/pretrain.test.ts trains a smaller one"],
  [
    /sweep .*family\.yaml|--real-family/,
    "half an hour; test/cli/sweepFineTune.test.ts and test/verify/realFamily do the same, smaller",
  ],
  [/^npm run models$/, "250 MB; test/scripts/models.test.ts runs it where Python's packages are installed"],
  [/real\/(encoder|decoder)|--real-encoder/, "minutes; test/verify/realModel reads smaller tables"],
  [
    /^npm run compare:engines/,
    "needs PyTorch and the family's models; test/scripts/compareEngines.test.ts has smaller ones",
  ],
  [/^npx lora-scaling verify theory-wide --store/, "minutes; with fewer seeds it is run"],
  [/^npx lora-scaling fetch /, "needs the hub; test/cli/fetch.test.ts asks one on this machine"],
  [/^npx lora-scaling explore$/, "serves until it is ended; test/cli/explore.test.ts starts it"],
  [/^npx lora-scaling verify overflow$/, "minutes; one of its cases is run"],
]

/** Every command of the pages' shell blocks, each once, with its page; comments are dropped. */
export const commands = new Map<string, string>()
for (const page of pages) {
  const text = await readFile(join(root, page), "utf8")
  for (const [, block] of text.matchAll(/^```sh\n([\s\S]*?)^```/gm))
    for (const line of block!.split("\n")) {
      const command = line.replace(/ +#.*$/, "").trim()
      if (command !== "" && !commands.has(command)) commands.set(command, page)
    }
}

/** Whether commands.test.ts runs a command. */
export const isRun = (command: string) => commands.has(command) && !ELSEWHERE.some(([no]) => no.test(command))
