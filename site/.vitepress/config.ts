/** The site: pages as stage.ts lays them, formulas set by MathJax when it is built, nothing loaded from elsewhere. */
/** The pages of the side bar in the order in which people need them. */
export const GROUPS: readonly (readonly [string, readonly (readonly [string, string])[]])[] = [
  [
    "Start here",
    [
      ["index", "Two paths"],
      ["concepts", "What the words mean"],
      ["questions", "Questions that people ask"],
      ["explorer", "The explorer"],
    ],
  ],
  [
    "I fine-tune",
    [
      ["which-rate", "Which learning rate?"],
      ["read-my-table", "Read my table"],
      ["measure-your-model", "Check my model"],
      ["doctor/README", "The adapter doctor"],
      ["sweeps", "Sweeps, on a cluster too"],
      ["fine-tuning", "Fine-tuning real models"],
    ],
  ],
  [
    "I write theory",
    [
      ["derive", "What follows from a scheme"],
      ["variants", "Variants of LoRA"],
      ["own-scheme", "A scheme of my own"],
      ["theory", "Theory"],
      ["proofs", "Proofs"],
      ["report", "Verdicts and the report"],
    ],
  ],
  [
    "Reference",
    [
      ["reference/commands", "Commands"],
      ["reference/schemas", "Files and JSON"],
      ["reference/library/index", "Library"],
      ["language", "The program language"],
      ["gallery", "Gallery of figures"],
    ],
  ],
  [
    "How it works",
    [
      ["precision", "Number formats"],
      ["kernel", "The WebAssembly kernel"],
      ["gpu", "Graphics cards"],
      ["graph", "ONNX graphs"],
      ["releasing", "Releasing"],
      ["CONTRIBUTING", "Contributing"],
      ["CHANGELOG", "What changed"],
    ],
  ],
]

export default {
  title: "lora-scaling",
  description: "Scaling exponents of LoRA fine-tuning: derived exactly, measured with intervals, and compared.",
  lang: "en",
  srcDir: "pages",
  outDir: "../dist-docs",
  cacheDir: "pages/.cache",
  cleanUrls: false,
  appearance: true,
  lastUpdated: false,
  // A link that leads nowhere ends the build.
  ignoreDeadLinks: false,
  markdown: { math: true },
  vite: { build: { chunkSizeWarningLimit: 2000 }, server: { fs: { allow: ["../.."] } } },
  themeConfig: {
    nav: [
      { text: "Documentation", link: "/" },
      { text: "Explorer", link: "/explorer/index.html", target: "_self" },
    ],
    sidebar: GROUPS.map(([text, items]) => ({
      text,
      items: items.map(([page, title]) => ({ text: title, link: `/${page.replace(/(^|\/)index$/, "$1")}` })),
    })),
    outline: [2, 3],
    search: { provider: "local" },
  },
}
