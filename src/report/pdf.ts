import PDFDocument from "pdfkit"
import svgToPdfKit from "svg-to-pdfkit"

/** Drawn at any time, the same figure is the same file. */
const DATE = new Date(0)

/** Dashes without gaps, as Vega writes a solid line; PDFKit refuses them. */
const SOLID = / stroke-dasharray="[\d.]+,0"/g

/**
 * An SVG picture as a page of its size, the font embedded; a pixel becomes a point.
 *
 * @throws Error where the picture holds what PDF cannot show as SVG does.
 */
export async function svgToPdf(svg: string, fontFile: string): Promise<Uint8Array> {
  const [width, height] = sizeOf(svg)
  const document = new PDFDocument({ size: [width, height], margin: 0, info: { CreationDate: DATE, ModDate: DATE } })
  const chunks: Uint8Array[] = []
  document.on("data", (chunk: Uint8Array) => chunks.push(chunk))
  const ended = new Promise((resolve) => document.on("end", resolve))
  document.registerFont("figure", fontFile)
  svgToPdfKit(document, svg.replace(SOLID, ""), 0, 0, {
    assumePt: true,
    width,
    height,
    fontCallback: () => "figure",
    warningCallback: (warning) => {
      throw new Error(`a figure cannot be written as PDF: ${String(warning)}`)
    },
  })
  document.end()
  await ended
  return Buffer.concat(chunks)
}

/** Width and height of an SVG picture, in pixels. */
export function sizeOf(svg: string): [number, number] {
  const size = (name: string) => Number(new RegExp(`<svg[^>]* ${name}="([\\d.]+)"`).exec(svg)?.[1])
  return [size("width"), size("height")]
}
