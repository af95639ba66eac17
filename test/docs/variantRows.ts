import { readFile } from "node:fs/promises"

/** A row of the table of variants: a scheme of the catalogue, what is said of it, and where it is measured. */
export interface VariantRow {
  readonly variant: string
  readonly scheme: string
  readonly stable: string
  readonly efficient: string
  readonly at: Readonly<Record<string, string>>
}

/** The rows of the first table of docs/variants.md. */
export async function variantRows(): Promise<VariantRow[]> {
  const page = await readFile(new URL("../../docs/variants.md", import.meta.url), "utf8")
  return page.split("\n").flatMap((line) => {
    const cells = line.split("|").map((cell) => cell.trim().replaceAll("`", ""))
    if (cells.length !== 7 || /^(-+|variant)$/.test(cells[1]!)) return []
    const [, variant, scheme, stable, efficient, point] = cells as [string, string, string, string, string, string]
    const at = Object.fromEntries(point.split(" ").map((pair) => pair.split("=") as [string, string]))
    return [{ variant, scheme, stable, efficient, at }]
  })
}
