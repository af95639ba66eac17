import { createRequire } from "node:module"
import { Resvg } from "@resvg/resvg-js"
import { parse, View } from "vega"
import { type Config, compile, type TopLevelSpec } from "vega-lite"
import { svgToPdf } from "./pdf.js"

/** The font that ships with the package, and what a reader's browser takes where it has none of that name. */
const FONT = "DejaVu Sans, Verdana, sans-serif"
const fontFile = createRequire(import.meta.url).resolve("dejavu-fonts-ttf/ttf/DejaVuSans.ttf")

/** Colours of Okabe and Ito, told apart by colour-blind readers and, with the dashes and shapes, in grey. */
const PALETTE = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]

const THEME: Config = {
  background: "white",
  font: FONT,
  axis: { labelFontSize: 11, titleFontSize: 12, titleFontWeight: "normal", gridColor: "#e5e5e5", domainColor: "#888" },
  title: { fontSize: 13, fontWeight: "normal", anchor: "start" },
  header: { labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal" },
  legend: { labelFontSize: 11, titleFontSize: 11, titleFontWeight: "normal", symbolStrokeWidth: 2 },
  text: { fontSize: 11 },
  range: { category: PALETTE },
  view: { stroke: "#bbb" },
}

/** A figure in the three formats of a report. */
export interface Drawing {
  readonly svg: string
  readonly png: Uint8Array
  readonly pdf: Uint8Array
}

/** A figure drawn from a Vega-Lite specification, without a browser, with a font that ships with the package. */
export async function renderFigure(spec: TopLevelSpec): Promise<Drawing> {
  const svg = renumbered(await new View(parse(compile(spec, { config: THEME }).spec), { renderer: "none" }).toSVG())
  const picture = new Resvg(svg, {
    fitTo: { mode: "zoom", value: 2 },
    font: { fontFiles: [fontFile], loadSystemFonts: false, defaultFontFamily: "DejaVu Sans" },
  })
  return { svg, png: picture.render().asPng(), pdf: await svgToPdf(svg, fontFile) }
}

/** Vega counts the names within a picture through the whole process; here each picture counts its own. */
function renumbered(svg: string): string {
  const ids = [...svg.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id!)
  return svg.replace(/(\sid="|url\(#|href="#)([^")]+)/g, (found, before: string, id: string) =>
    ids.includes(id) ? `${before}part${ids.indexOf(id)}` : found,
  )
}
