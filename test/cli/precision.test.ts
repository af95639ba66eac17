import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { describe, expect, test } from "vitest"

const program = fileURLToPath(new URL("../../dist/command/main.js", import.meta.url))

/** Runs the built program as a user does. */
function lora(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) =>
    execFile(process.execPath, [program, ...words], { maxBuffer: 1e8 }, (error, out, err) =>
      resolve({ code: error ? Number(error.code) : 0, out, err }),
    ),
  )
}

const train = ["train", "init-b", "--width", "3000", "--set", "c=-1", "--optimiser", "sign", "--steps", "3"]

describe("train --precision", () => {
  test("prints what rounding did, a row a tensor", async () => {
    const { code, out } = await lora(...train, "--precision", "bfloat16", "--rounding", "stochastic", "--format", "csv")
    expect(code).toBe(0)
    expect(out).toContain("tensor,format,entries,overflows,underflows,lost updates,largest")
    expect(out).toMatch(/^zB,bfloat16,12000,0,\d+,0,/m)
    expect(out).toMatch(/^B,bfloat16,48000,0,0,[1-9]\d*,/m)
  })

  test("formats for roles and tensors, dynamic loss scale, sums, in the JSON", async () => {
    const { code, out } = await lora(
      ...[...train, "--precision", "float16", "--in", "weights=float32", "zA=bfloat16", "--accumulator", "same"],
      ...["--loss-scale", "dynamic", "--overflow", "saturate", "--json"],
    )
    expect(code).toBe(0)
    const { config, precision, outcome } = JSON.parse(out)
    expect(config.precision).toMatchObject({
      weights: "float32",
      activations: "float16",
      accumulator: "float16",
      overflow: "saturate",
      lossScale: { initial: 65536, growthEvery: 2000 },
      tensors: { zA: "bfloat16" },
    })
    expect(outcome.kind).toBe("finished")
    expect(precision.tensors.A.format).toBe("float32")
    expect(precision.tensors.zA.format).toBe("bfloat16")
    expect(precision.tensors["gradient of B"].format).toBe("float16")
  })

  test("an overflow is an outcome with its step and tensor, not an error", async () => {
    const { code, out } = await lora("train", "init-a", "--width", "64", "--lr", "1e4", "--precision", "float16")
    expect(code).toBe(0)
    expect(out).toMatch(/overflowed at step \d+ in /)
  })

  test.each([
    ["--precision", ["--precision", "half"]],
    ["--rounding", ["--rounding", "stochastic"]],
    ["--rounding", ["--precision", "float16", "--rounding", "up"]],
    ["--loss-scale", ["--precision", "float16", "--loss-scale", "-1"]],
    ["--in", ["--precision", "float16", "--in", "weights"]],
    ["--in", ["--precision", "float16", "--in", "weights=half"]],
    ["tensor", ["--precision", "float16", "--in", "zC=float32"]],
  ])("bad %s is refused: %s", async (field, words) => {
    const { code, out, err } = await lora(...train, ...words)
    expect([code, out]).toEqual([2, ""])
    expect(err).toContain(`error: ${field}: got`)
  })
})

test("verify overflow: unknown cases are refused, known ones print predicted and met", async () => {
  const unknown = await lora("verify", "overflow", "init-c")
  expect([unknown.code, unknown.out]).toEqual([2, ""])
  expect(unknown.err).toContain("init-a-zA-alone")
  const { code, out } = await lora("verify", "overflow", "lost-updates", "--workers", "0", "--json")
  expect(code).toBe(0)
  expect(JSON.parse(out).lostUpdates).toMatchObject({ predicted: 1024, verdict: "met" })
})
