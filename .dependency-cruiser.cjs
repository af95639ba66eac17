// Data flows one way: exponent → program → scheme → checkpoint → derive | train → sweep → launch, fit → report → prove, verify → cli.
const { builtinModules } = require("node:module")

const layers = [
  "exponent",
  "program",
  "scheme",
  "checkpoint",
  "derive",
  "train",
  "sweep",
  "launch",
  "table",
  "fit",
  "inspect",
  "report",
  "prove",
]
const above = (i) => `^src/(${[...layers.slice(i + 1), "cli"].join("|")})/|^(verify|web)/`

/** @type {import("dependency-cruiser").IConfiguration} */
module.exports = {
  forbidden: [
    { name: "no-circular", severity: "error", from: {}, to: { circular: true } },
    { name: "kernel-trusts-nothing", severity: "error", from: { path: "^proofs/" }, to: {} },
    { name: "derive-and-train-apart", severity: "error", from: { path: "^src/derive/" }, to: { path: "^src/train/" } },
    { name: "train-and-derive-apart", severity: "error", from: { path: "^src/train/" }, to: { path: "^src/derive/" } },
    ...layers.map((layer, i) => ({
      name: `${layer}-imports-nothing-above`,
      severity: "error",
      from: { path: `^src/${layer}/` },
      to: { path: above(i) },
    })),
    {
      name: "train-imports-no-backend",
      severity: "error",
      from: {
        path: "^src/train/[^/]+\\.ts$",
        pathNot: "^src/train/(backend|work|teacherStudentRun|pool|gpuPool)\\.ts$",
      },
      to: { path: "^src/train/(fused|gpu|wasm|graph)/" },
    },
    {
      name: "backends-import-no-pool",
      severity: "error",
      from: { path: "^src/train/(fused|gpu|wasm|graph)/" },
      to: { path: "^src/train/(backend|task|work|teacherStudentRun|pool|gpuPool|graphPool)\\.ts$" },
    },
    {
      name: "wasm-imports-no-gpu",
      severity: "error",
      from: { path: "^src/train/wasm/" },
      to: { path: "^src/train/gpu/" },
    },
    {
      name: "instrument-imports-no-experiment",
      severity: "error",
      from: { path: "^verify/compare/" },
      to: { path: "^verify/(?!compare/)" },
    },
    {
      name: "experiments-import-no-command",
      severity: "error",
      from: { path: "^verify/" },
      to: { path: "^src/cli/" },
    },
    {
      name: "explorer-reaches-no-node",
      severity: "error",
      from: { path: "^web/" },
      to: { path: `^(node:)?(${builtinModules.join("|")})$`, reachable: true },
    },
    {
      name: "page-imports-no-engine",
      severity: "error",
      from: { path: "^web/page/" },
      to: { path: "^(src|verify|web/worker)/" },
    },
    {
      name: "nothing-imports-the-explorer",
      severity: "error",
      from: { path: "^(src|verify|proofs)/" },
      to: { path: "^web/" },
    },
    {
      name: "rooms-import-no-report-of-all",
      severity: "error",
      from: { path: "^verify/[^/]+/" },
      to: { path: "^verify/(experiments|reproduce|account)\\.ts$" },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: "node_modules" },
  },
}
