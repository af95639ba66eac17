/** Tables as trackers, tuners and loggers write them. */
import { csv } from "../made.js"
import { readRight } from "./readRight.js"
import { failed, type Kind, log, logOf, rows, text } from "./sweep.js"

const lines = (objects: readonly object[]) => objects.map((each) => JSON.stringify(each)).join("\n")
const quoted = (row: readonly (string | number)[]) => row.map((cell) => `"${cell}"`)

const KINDS: Kind[] = [
  [
    "W&B: a table of runs, everything quoted, failed and killed",
    () =>
      csv(
        quoted([
          "Name",
          "ID",
          "State",
          "Created",
          "Sweep",
          "config.hidden_size",
          "config.lr",
          "summary.eval/loss",
        ]) as string[],
        rows((run, i) =>
          quoted([
            `glad-${i}`,
            `x${i}`,
            failed(run) ? (i % 2 ? "failed" : "killed") : "finished",
            "2026-03-01T10:00:00.000Z",
            "s1",
            run.width,
            run.lr,
            text(run.loss, ""),
          ]),
        ),
      ),
    { width: "config.hidden_size", rate: "config.lr", loss: "summary.eval/loss" },
    /4 unfinished/,
  ],
  [
    "W&B: histories of runs, one below the other",
    () =>
      csv(
        ["_step", "_timestamp", "Name", "n", "lr", "train/loss"],
        log((run, step, i) => [step, 1.7e9 + step, `run-${i}`, run.width, run.lr, logOf(run, step)]),
        { word: "NaN" },
      ),
    { width: "n", loss: "train/loss" },
    /column _step.*4 diverged/,
  ],
  [
    "W&B: config in JSON",
    () =>
      JSON.stringify(
        rows((run, i) => ({
          name: `r${i}`,
          state: failed(run) ? "crashed" : "finished",
          config: { model: { width: run.width }, lr: run.lr },
          summary: failed(run) ? {} : { loss: run.loss },
        })),
      ),
    { width: "config.model.width", rate: "config.lr", loss: "summary.loss" },
    /4 unfinished \(crashed\)/,
  ],
  [
    "Optuna: trials_dataframe with its index, TrialState",
    () =>
      csv(
        [
          "",
          "number",
          "value",
          "datetime_start",
          "datetime_complete",
          "duration",
          "params_lr",
          "params_width",
          "user_attrs_seed",
          "state",
        ],
        rows((run, i) => [
          i,
          i,
          run.loss,
          "2026-03-01 10:00:00.123456",
          "",
          "0 days 00:10:00",
          run.lr,
          run.width,
          42,
          failed(run) ? "TrialState.FAIL" : "TrialState.COMPLETE",
        ]),
        { word: "" },
      ),
    { width: "params_width", rate: "params_lr", loss: "value", seed: "user_attrs_seed" },
    /4 unfinished \(TrialState.FAIL\)/,
  ],
  [
    "Optuna: two objectives",
    () =>
      csv(
        ["number", "values_0", "values_1", "params_lr", "params_n", "state"],
        rows((run, i) => [i, run.loss, 100 + i, run.lr, run.width, failed(run) ? "FAIL" : "COMPLETE"]),
        { word: "" },
      ),
    { width: "params_n", rate: "params_lr", loss: "values_0" },
  ],
  [
    "HF Trainer: log histories of runs, evaluations in rows of their own",
    () =>
      lines(
        log((run, step, i) => [
          {
            run: `run-${i}`,
            hidden_size: run.width,
            base_lr: run.lr,
            loss: logOf(run, step) + 0.3,
            learning_rate: run.lr * (1 - step / 500),
            grad_norm: 1,
            epoch: step / 400,
            step,
          },
          {
            run: `run-${i}`,
            hidden_size: run.width,
            base_lr: run.lr,
            eval_loss: logOf(run, step),
            eval_runtime: 3.2,
            epoch: step / 400,
            step,
          },
        ]).flat(),
      ).replaceAll(":null", ":NaN"),
    { width: "hidden_size", rate: "base_lr", loss: "eval_loss" },
    /column step/,
  ],
  [
    "HF Trainer: the scheduled rate alone, warmed up",
    () =>
      csv(
        ["run_name", "hidden_size", "step", "learning_rate", "loss"],
        log((run, step, i) => [`run-${i}`, run.width, step, run.lr * (step === 100 ? 0.5 : 1), logOf(run, step)]),
      ),
    { width: "hidden_size", rate: "learning_rate" },
    /varies within 48 runs, a schedule/,
  ],
  [
    "MLflow: search_runs",
    () =>
      csv(
        [
          "run_id",
          "experiment_id",
          "status",
          "artifact_uri",
          "start_time",
          "end_time",
          "metrics.eval_loss",
          "params.lr",
          "params.width",
          "tags.mlflow.runName",
        ],
        rows((run, i) => [
          `a${i}f`,
          1,
          failed(run) ? "FAILED" : "FINISHED",
          `s3://b/${i}`,
          "2026-03-01 10:00:00+00:00",
          "",
          run.loss,
          run.lr,
          run.width,
          `w${run.width}`,
        ]),
        { word: "" },
      ),
    { width: "params.width", rate: "params.lr", loss: "metrics.eval_loss" },
    /4 unfinished \(FAILED\)/,
  ],
  [
    "TensorBoard: scalars of runs, width and rate added",
    () =>
      csv(
        ["run", "Wall time", "Step", "Value", "width", "lr"],
        log((run, step, i) => [`run_${i}`, 1.7e9 + i + step / 10, step, logOf(run, step), run.width, run.lr]),
      ),
    { loss: "Value" },
    /column Step/,
  ],
  [
    "TensorBoard: tags one below the other, told apart by --by",
    () =>
      csv(
        ["run", "tag", "step", "value", "width", "lr"],
        log((run, step, i) =>
          ["train/loss", "train/grad_norm"].map((tag) => [
            `run_${i}`,
            tag,
            step,
            tag === "train/loss" ? logOf(run, step) : 3 + step,
            run.width,
            run.lr,
          ]),
        ).flat(),
      ),
    { loss: "value", by: ["tag"] },
  ],
  [
    "Lightning: metrics.csv of runs, training and validation in rows of their own",
    () =>
      csv(
        ["version", "n", "base_lr", "epoch", "step", "train_loss_step", "val_loss", "lr-AdamW"],
        log((run, step, i) => [
          [`version_${i}`, run.width, run.lr, 0, step, logOf(run, step) + 0.2, "", ""],
          [`version_${i}`, run.width, run.lr, 0, step, "", logOf(run, step), ""],
          [`version_${i}`, run.width, run.lr, 0, step, "", "", run.lr],
        ]).flat(),
      ),
    { width: "n", rate: "base_lr", loss: "val_loss" },
    /column step/,
  ],
  [
    "Ray Tune: a results frame, the last iteration of each trial",
    () =>
      csv(
        [
          "trial_id",
          "loss",
          "training_iteration",
          "done",
          "date",
          "time_total_s",
          "config/lr",
          "config/width",
          "experiment_tag",
        ],
        rows((run, i) => [
          `t_${i}`,
          run.loss,
          100,
          "True",
          "2026-03-01_10-00-00",
          60 + i,
          run.lr,
          run.width,
          `${i}_lr=${run.lr}`,
        ]),
      ),
    { width: "config/width", rate: "config/lr" },
  ],
  [
    "Ray Tune: result.json of trials, every iteration",
    () =>
      lines(
        log((run, step, i) => ({
          trial_id: `t_${i}`,
          training_iteration: step / 100,
          loss: logOf(run, step),
          done: step === 400,
          config: { lr: run.lr, width: run.width },
        })),
      ).replaceAll(":null", ":NaN"),
    { width: "config.width", rate: "config.lr" },
    /column training_iteration/,
  ],
  [
    "Hydra: a multirun's table",
    () =>
      csv(
        ["job_num", "model.width", "optim.lr", "seed", "val/loss"],
        rows((run, i) => [i, run.width, run.lr, 0, run.loss]),
      ),
    { width: "model.width", rate: "optim.lr", loss: "val/loss" },
  ],
]

readRight(KINDS)
