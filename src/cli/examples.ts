/** Two examples a command, as typed after `lora-scaling`; each is run by a test. */
export const EXAMPLES: Readonly<Record<string, readonly [string, string]>> = {
  derive: ["derive lora", "derive lora --why stable"],
  schemes: ["schemes", "schemes rslora"],
  prove: ["prove init-a-stable", 'prove --scheme init-a "efficient for all t >= 3 iff c == -1/2"'],
  train: ["train lora --width 1024 --set c=-1/2", "train lora --width 256 --lr 1e-3 --steps 20"],
  sweep: ["sweep rates.yaml --plan", "sweep rates.yaml --store rates.duckdb --out rates.csv"],
  launch: [
    "launch local rates.yaml --array 2 --store array.duckdb",
    "launch slurm rates.yaml --array 64 --store array.duckdb --time 2:00:00 --gpus 1 --dry-run -- --qos=long",
  ],
  merge: ["merge part-1.duckdb part-2.duckdb --store all.duckdb", "merge part-2.duckdb --store part-1.duckdb"],
  fit: [
    "fit runs.csv --width hidden_size --rate lr --loss eval_loss",
    "fit sizes.csv --width n --value rms --by quantity",
  ],
  inspect: ["inspect outputs/run-1", "inspect outputs/run-1 --html doctor.html"],
  transfer: [
    "transfer --lr 2e-4 --from-width 4096 --to-width 8192",
    "transfer --lr 2e-4 --from-width 4096 --from-rank 8 --to-rank 64 --from-alpha 16",
  ],
  verify: ["verify init-b/c=-1 --seeds 16", "verify derived"],
  check: ["check rslora --seeds 16", "check lora --set c=-1/2 --measured coordinates.csv --updates 0"],
  devices: ["devices", "devices --json"],
  engines: ["engines", "engines --json"],
  fetch: ["fetch HuggingFaceTB/SmolLM2-135M", "fetch nyu-mll/glue --dataset --files mrpc/*"],
  explore: ["explore", "explore --port 0"],
  reproduce: ["reproduce --quick", "reproduce --only derived --out derived"],
}
