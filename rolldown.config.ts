import { defineConfig } from "rolldown"

/** Packages that carry files or binaries of their own, or are large and used by few commands; the rest is bundled. */
const EXTERNAL = [
  "@duckdb/node-api",
  "@resvg/resvg-js",
  "dejavu-fonts-ttf",
  "jiti",
  "onnxruntime-node",
  "pdfkit",
  "piscina",
  "svg-to-pdfkit",
  "vega",
  "vega-lite",
  "webgpu",
  "z3-solver",
]

export default defineConfig([
  /** The command and its threads, from what tsc compiled: files that are loaded when they are used. */
  {
    input: { main: "dist/src/cli/main.js", work: "dist/src/train/work.js" },
    platform: "node",
    external: EXTERNAL,
    output: { dir: "dist/command", format: "esm", cleanDir: true, chunkFileNames: "[name]-[hash].js" },
  },
  /** The explorer: a page, and workers that derive and train. */
  {
    input: { page: "web/page/main.tsx", deriver: "web/worker/deriver.ts", trainer: "web/worker/trainer.ts" },
    platform: "browser",
    tsconfig: "web/tsconfig.json",
    resolve: { extensionAlias: { ".js": [".ts", ".tsx", ".js"] } },
    output: { dir: "dist/web", format: "esm", minify: true, cleanDir: true, chunkFileNames: "[name]-[hash].js" },
  },
])
