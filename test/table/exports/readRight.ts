import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { type Fitted, fittedText } from "../fitted.js"
import { csv } from "../made.js"
import { cells, HEADER, type Kind, runs } from "./sweep.js"

/** A test a kind: the interval is that of the sweep as a plain table, or nearly. */
export function readRight(kinds: readonly Kind[]): void {
  let folder: string
  let clean: Fitted
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "exports-"))
    clean = await fittedText(folder, csv(HEADER, cells(runs)))
  })
  afterAll(() => rm(folder, { recursive: true }))

  describe("read right: the interval is that of the clean table, or nearly", () => {
    test.each(kinds)("%s", async (_name, content, options = {}, says = /./s) => {
      const { fits, read } = await fittedText(folder, content(), options)
      const { low, high, identified } = (fits.find(({ group }) => group === "train/loss") ?? fits[0])!
      expect(identified).toBe(true)
      expect([low! < -0.5, high! > -0.5]).toEqual([true, true])
      expect(high! - low!).toBeLessThan(2 * (clean.fits[0]!.high! - clean.fits[0]!.low!))
      if (read !== "") expect(read).toMatch(says)
      else expect(says.source).toBe(".")
    })
  })
}
