import { z } from "zod"
import type { Section } from "./section.js"

const Table = z.object({
  columns: z.array(z.string()),
  rows: z.array(z.array(z.union([z.string(), z.number(), z.null()]))),
})

/** The JSON of `verify` for an experiment of the report. */
export const SectionJson = z.object({
  schema: z.literal("lora-scaling/section/1"),
  size: z.enum(["quick", "full"]),
  id: z.string(),
  title: z.string(),
  claim: z.string().describe("Markdown"),
  parts: z.array(
    z.union([
      z.object({ kind: z.literal("text"), text: z.string().describe("Markdown") }),
      z.object({ kind: z.literal("table"), caption: z.string(), table: Table }),
      z.object({
        kind: z.literal("figure"),
        name: z.string(),
        caption: z.string(),
        spec: z.unknown().describe("Vega-Lite"),
      }),
    ]),
  ),
  findings: z.array(
    z.object({
      claim: z.string(),
      verdict: z.enum(["agrees", "contradicts", "inconclusive"]),
      why: z
        .string()
        .nullable()
        .describe("of a contradiction the cause, null if none is known; else what would decide"),
    }),
  ),
  data: z.record(z.string(), Table),
})

/** A section as the JSON that others rely on. */
export function sectionJson(section: Section, size: "quick" | "full"): object {
  return { schema: "lora-scaling/section/1", size, ...section }
}
