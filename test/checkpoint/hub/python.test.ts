/** The hub's own tools in Python and this program share a cache; and the hub of these tests is one to those tools too. */
import { execFile } from "node:child_process"
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { loraIn } from "../../cli/lora.js"
import { pythonWithTorch } from "../../python/venv.js"
import { writeFamily } from "../../train/tuning/texts.js"
import { SMALL_LLAMA, WORDS } from "../randomModel.js"
import { startHub, type TestHub } from "./server.js"

const python = await pythonWithTorch()
const NAME = "owner/llama-16"

describe.skipIf(python === null)("Python's tools", () => {
  let place: string
  let hub: TestHub
  beforeAll(async () => {
    place = await mkdtemp(join(tmpdir(), "hub-"))
    await writeFamily(place, [16], { ...SMALL_LLAMA, vocab_size: WORDS.length })
    const files: Record<string, Uint8Array> = {}
    for (const name of await readdir(join(place, "llama-16")))
      files[name] = await readFile(join(place, "llama-16", name))
    const commit = "0123456789abcdef0123456789abcdef01234567"
    hub = await startHub({ [`models/${NAME}`]: { commit, files, large: ["model.safetensors"] } })
  })
  afterAll(async () => {
    await hub.close()
    await rm(place, { recursive: true })
  })

  const envOf = (home: string) => ({ HF_HOME: join(place, home), HF_ENDPOINT: hub.url, HF_HUB_DISABLE_XET: "1" })
  const answered = async (script: string, env: Readonly<Record<string, string>>) => {
    const { stdout } = await promisify(execFile)(python!, ["-c", script], { env: { ...process.env, ...env } })
    return JSON.parse(stdout.trim().split("\n").at(-1)!)
  }

  test("find what was fetched, and load it offline", async () => {
    const env = envOf("ours")
    const run = await loraIn({ folder: place, env }, "fetch", NAME, "--json")
    expect(run.code, run.err).toBe(0)
    const [{ folder }] = JSON.parse(run.out)
    const script = `
import json
from huggingface_hub import scan_cache_dir, snapshot_download
from transformers import AutoModelForCausalLM
found = scan_cache_dir()
print(json.dumps({
    "folder": snapshot_download("${NAME}", local_files_only=True),
    "hidden": AutoModelForCausalLM.from_pretrained("${NAME}", local_files_only=True).config.hidden_size,
    "warnings": [str(each) for each in found.warnings],
    "repos": [[repo.repo_id, repo.repo_type, repo.nb_files, sorted(repo.refs)] for repo in found.repos],
}))`
    const repos = [[NAME, "model", 3, ["main"]]]
    expect(await answered(script, { ...env, HF_HUB_OFFLINE: "1" })).toEqual({ folder, hidden: 16, warnings: [], repos })
  })

  test("leave what fetch takes for fetched, and a sweep finds", async () => {
    const env = envOf("theirs")
    const script = `
import json
from huggingface_hub import snapshot_download
print(json.dumps(snapshot_download("${NAME}")))`
    const folder = await answered(script, env)
    const run = await loraIn({ folder: place, env }, "fetch", NAME, "--json")
    expect(run.code, run.err).toBe(0)
    expect(JSON.parse(run.out)).toMatchObject([{ folder, fetched: [] }])
    const task = { kind: "text", train: ["train.txt"], test: ["test.txt"], window: 16, stride: 8 }
    const sweep = {
      experiment: "finetune",
      checkpoints: [NAME],
      task,
      schemes: ["init-a"],
      sites: ["q_proj"],
      rates: [0.01],
      seeds: 1,
      steps: 2,
      length: 16,
    }
    await writeFile(join(place, "sweep.json"), JSON.stringify(sweep))
    const planned = await loraIn({ folder: place, env }, "sweep", "sweep.json", "--plan")
    expect(planned.code, planned.err).toBe(0)
    expect(planned.err).toContain("runs: 1, 0 finished already")
  })
})
