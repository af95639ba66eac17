import { z } from "zod"
import type { Section } from "./section.js"

const Table = z.object({
  columns: z.array(z.string()),
  rows: z.array(z.array(z.union([z.string(), z.number(), z.null()]))),
})

const FindingJson = z.object({
  claim: z.string(),
  verdict: z.enum(["agrees", "contradicts", "inconclusive"]),
  why: z.string().nullable().describe("of a contradiction the cause, null if none is known; else what would decide"),
  items: z.array(z.string()).optional().describe("what the claim is about, one by one"),
})

const LawJson = z.object({
  subject: z.string(),
  level: z.enum(["features", "output"]),
  readout: z.number(),
  derived: z.string(),
  proven: z.object({ theorem: z.string(), checkers: z.array(z.string()) }).nullable(),
  measured: z.object({ exponent: z.number(), low: z.number(), high: z.number() }).nullable(),
  verdict: z.enum(["agrees", "contradicts", "inconclusive"]),
})

/** The JSON of `verify` for an experiment of the report. */
export const SectionJson = z.object({
  schema: z.literal("lora-scaling/section/1"),
  size: z.enum(["quick", "full"]),
  id: z.string(),
  title: z.string(),
  answer: z.object({ question: z.string(), text: z.string().describe("Markdown") }).nullable(),
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
  findings: z.array(FindingJson),
  askedAtFullSize: z.array(FindingJson).optional().describe("claims that a quick run leaves open: no findings"),
  laws: z.array(LawJson).optional().describe("those of the report's first screen, where the section measures them"),
  data: z.record(z.string(), Table),
})

/** A section as the JSON that others rely on. */
export function sectionJson(section: Section, size: "quick" | "full"): object {
  const { opening, ...rest } = section
  return { schema: "lora-scaling/section/1", size, ...rest, ...(opening && { laws: opening.laws }) }
}
