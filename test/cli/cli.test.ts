import { execFile, spawn } from "node:child_process"
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { parse } from "csv-parse/sync"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { parseAffine, parseCondition } from "../../src/exponent/grammar.js"
import { ClaimsJson } from "../../src/report/claims.js"
import { DerivationJson } from "../../src/report/derivationSchema.js"
import { FitJson } from "../../src/report/fit.js"
import { TransferJson } from "../../src/report/transfer.js"

const program = fileURLToPath(new URL("../../dist/command/main.js", import.meta.url))
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cli-"))
})
afterAll(() => rm(folder, { recursive: true }))

/** Runs the built program as a user does. */
function lora(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) =>
    execFile(process.execPath, [program, ...words], { cwd: folder, maxBuffer: 1e8 }, (error, out, err) =>
      resolve({ code: error ? Number(error.code) : 0, out, err }),
    ),
  )
}

describe("derive", () => {
  test("JSON follows its schema and holds the worked table", async () => {
    const { code, out } = await lora("derive", "init-a", "--set", "c=-1/2", "--json")
    expect(code).toBe(0)
    const { quantities, largestRate, switches } = DerivationJson.parse(JSON.parse(out))
    expect(quantities.zA?.steps.slice(0, 3)).toEqual(["0", "1/2", "1/2"])
    expect(quantities.delta2?.steps.slice(0, 3)).toEqual(["-1/2", "-1/2", "0"])
    expect(quantities.f?.steps.slice(0, 3)).toEqual(["0", "1/2", "1/2"])
    expect(switches).toEqual({ stableIncludesZA: false, level: "features", from: 3 })
    expect(largestRate.features).toBeNull()
  })

  test("symbolic rates", async () => {
    const parsed = async (name: string) => DerivationJson.parse(JSON.parse((await lora("derive", name, "--json")).out))
    expect((await parsed("init-a")).stable).toBe("c <= -1/2")
    expect((await parsed("init-b")).stable).toBe("c <= -1")
    expect((await parsed("lora-plus")).efficient).toBe("cA + cB == -1 and cA >= -1")
  })

  test("a bound on the gradients' norm, as a number or a symbol", async () => {
    const parsed = async (...words: string[]) =>
      DerivationJson.parse(JSON.parse((await lora("derive", "sgd-init-a", ...words, "--json")).out))
    // By hand: test/derive/clip.test.ts.
    expect((await parsed("--clip", "0")).stable).toBe("c <= 0")
    expect(await parsed("--clip", "k", "--free", "k", "--set", "c=-1/4")).toMatchObject({
      symbols: ["k"],
      stable: "k <= 1/4",
      stableOutput: "k <= 0",
    })
  })

  test.each(["text", "markdown", "latex", "csv"])("prints %s", async (format) => {
    const { code, out } = await lora("derive", "init-b", "--format", format)
    expect(code).toBe(0)
    expect(out).toContain(format === "latex" ? "$<$= -1" : "c <= -1")
  })
})

test("the output level with the readout's exponent free: one region whose sections are the bounds", async () => {
  const { code, out } = await lora("derive", "init-a", "--level", "output", "--free", "o", "--json")
  expect(code).toBe(0)
  const { stableOutput, largestRate, symbols, undecided } = DerivationJson.parse(JSON.parse(out))
  expect(symbols).toEqual(["c", "o"])
  expect(undecided).toBe("never")
  const region = parseCondition(stableOutput)
  for (const [o, bound] of Object.entries({ "1/2": "-3/4", "3/4": "-5/8", "1": "-1/2" }))
    expect(region.substitute(new Map([["o", parseAffine(o)]])).equals(parseCondition(`c <= ${bound}`))).toBe(true)
  // The least of two, in whichever order.
  expect(["min(o / 2 - 1, o - 1)", "min(o - 1, o / 2 - 1)"]).toContain(largestRate.output)
})

test("check gives quantities and alignments a verdict, and draws them", async () => {
  const { code, out } = await lora("check", "lora-fa", "--seeds", "16", "--figure", "check.svg", "--json")
  expect(code).toBe(0)
  const { claims } = ClaimsJson.parse(JSON.parse(out))
  expect(claims.map(({ quantity }) => quantity)).toContain("alignment(zA)")
  expect(claims.filter(({ verdict }) => verdict === "agrees").length).toBeGreaterThan(claims.length / 2)
  expect(await readFile(join(folder, "check.svg"), "utf8")).toContain("width n")
})

test.each([
  [["check"], "scheme"],
  [["check", "init-a", "--all"], "scheme"],
  [["check", "--all", "--set", "c=-1"], "--set"],
  [["check", "nothing"], "scheme"],
  [["derive", "init-a", "--free", "q"], "--free"],
  [["derive", "init-a", "--level", "deep"], "--level"],
  [["derive", "init-a", "--steps", "100000"], "--steps"],
  [["derive", "init-a", "--clip", "max(0, c)"], "--clip"],
  [["train", "init-a", "--width", "64", "--set", "c=-1", "--clip", "k"], "--set"],
  [["check", "--all", "--clip", "0"], "--clip"],
  [["derive", "init-a", "--optimiser", "sofia"], "--optimiser"],
])("bad input of %j names %s", async (words, field) => {
  const { code, out, err } = await lora(...words)
  expect([code, out]).toEqual([2, ""])
  expect(err).toContain(field)
})

test("schemes lists the catalogue with bounds", async () => {
  const { schemes } = JSON.parse((await lora("schemes", "--json")).out)
  expect(schemes.map(({ name }: { name: string }) => name)).toEqual(
    expect.arrayContaining(["init-a", "init-b", "init-ab", "lora-plus", "rslora", "peft-pissa", "two-layers-init-b"]),
  )
})

test("train gives the same bits for the same seed, and takes rates as numbers", async () => {
  const words = ["train", "init-a", "--width", "64", "--lr", "0.01", "--seed", "3", "--json"]
  const [first, second] = [await lora(...words), await lora(...words)]
  expect(first.out).toBe(second.out)
  // Sign and Adam steps move B by the rate itself at t = 1.
  expect(JSON.parse(first.out).history[0].rms.b).toBeCloseTo(0.01, 6) // ε = 1e-8 beside gradients of size n^(-1/2)
})

test("check says what is contradicted and why, and last how many claims have each verdict; as CSV one table", async () => {
  const words = ["check", "init-a", "--set", "c=-1/4", "--optimiser", "sign", "--loss", "squared", "--seeds", "4"]
  const [json, text, csv] = await Promise.all([["--json"], [], ["--format", "csv"]].map((as) => lora(...words, ...as)))
  const { claims } = ClaimsJson.parse(JSON.parse(json!.out))
  const of = (verdict: string) => claims.filter((claim) => claim.verdict === verdict)
  const contradicted = of("contradicts")
  expect(contradicted.length).toBeGreaterThan(0)
  const [, told, verdicts] = text!.out.split(/^(?:Contradicted|Verdicts)$/m)
  const lines = told!.replaceAll(/ {2,}/g, " | ").split("\n")
  for (const { id, cause, why } of contradicted) expect(lines).toContain(`${id} | ${cause} | ${why}`)
  const row = verdicts!.trim().split("\n").at(-1)!
  expect(row.split(/ {2,}/)).toEqual([
    "init-a/c=-1/4/sign",
    ...[of("agrees"), of("inconclusive"), contradicted].map(({ length }) => String(length)),
    String(contradicted.filter(({ cause }) => cause === null).length),
    expect.stringMatching(new RegExp(`^${of("inconclusive").length} too wide: [0-9]+ seeds`)),
  ])
  const rows: string[][] = parse(csv!.out)
  expect(rows.map(([id]) => id)).toEqual(["claim", ...claims.map(({ id }) => id)])
})

test("verify judges and its JSON follows its schema", async () => {
  const { code, out } = await lora("verify", "init-b/c=-1/sign", "--seeds", "32", "--json")
  const { claims } = ClaimsJson.parse(JSON.parse(out))
  expect(code).toBe(0)
  expect(claims).toHaveLength(21)
  expect(claims.every(({ level, verdict }) => verdict === "agrees" || level === "output")).toBe(true)
  expect(claims.some(({ verdict }) => verdict === "contradicts")).toBe(false)
})

describe("fit", () => {
  test("a size against width, by group", async () => {
    const rows = [64, 128, 256, 512, 1024, 2048].flatMap((n) =>
      [1, 2, 3].map((s) => `x,${n},${s},${(1 + s / 100) * n ** 0.5}`),
    )
    await writeFile(join(folder, "sizes.csv"), `group,width,seed,value\n${rows.join("\n")}\n`)
    const { out } = await lora("fit", "sizes.csv", "--by", "group", "--json")
    const [fit] = JSON.parse(out).fits
    expect(fit.exponent).toBeCloseTo(0.5, 9)
    expect(fit.flags).toEqual([])
  })

  test("the optimal rate against width, with minima at the grid's edge flagged", async () => {
    const rates = [-4, -3.5, -3, -2.5, -2, -1.5].map((e) => 10 ** e)
    // Inside the grid 1e-4 … 3e-2 for widths to 1024, far below it for the last.
    const best = (n: number) => 0.003 * (n / 64) ** -0.5
    const rows = [64, 128, 256, 512, 1024, 1e9].flatMap((n) =>
      rates.map((r) => `${n},${r},${1 + Math.log(r / best(n)) ** 2}`),
    )
    await writeFile(join(folder, "grid.csv"), `n,lr,loss\n${rows.join("\n")}\n`)
    const { out } = await lora("fit", "grid.csv", "--width", "n", "--rate", "lr", "--loss", "loss", "--json")
    const [fit] = JSON.parse(out).fits
    // Scatter below 1e-6 is not resolved.
    expect(Math.abs(fit.exponent + 0.5)).toBeLessThan(1e-6)
    expect(fit.flags.join()).toContain("edge of the grid at 1000000000")
  })
})

/**
 * Models of two families at six widths, a loss curve each at two ranks; the rates of least loss follow n^-1/2 and n^0.
 */
async function models(): Promise<string[]> {
  const rates = [1e-5, 3e-5, 1e-4, 3e-4, 1e-3]
  const rows = [512, 1024, 2048, 4096, 8192, 16384].flatMap((n, i) =>
    [
      ["lab/Alpha", -0.5],
      ["lab/Beta", 0],
    ].flatMap(([name, exponent]) =>
      [4, 16].flatMap((rank) =>
        rates.map((rate) => {
          const best = 2e-4 * (n / 4096) ** Number(exponent) * Math.exp(0.1 * Math.sin(5 * i))
          return `${name}-${n},${n},${rank},${rate},${1 + 0.01 * Math.log(rate / best) ** 2}`
        }),
      ),
    ),
  )
  await writeFile(join(folder, "models.csv"), `model,n,rank,lr,nll\n${rows.join("\n")}\n`)
  const columns = ["--width", "n", "--rate", "lr", "--loss", "nll", "--model", "model", "--by", "rank"]
  return [...columns, "--family", "^lab/([A-Za-z]+)"]
}

describe("tables of models", () => {
  test("fit: a slope a family and rank, minima beyond the grid as bounds, stability edges", async () => {
    const columns = await models()
    const { code, out } = await lora("fit", "models.csv", ...columns, "--json")
    expect(code).toBe(0)
    const { fits, curves } = FitJson.parse(JSON.parse(out))
    expect(fits.map(({ group }) => group)).toEqual(["Alpha / 4", "Alpha / 16", "Beta / 4", "Beta / 16"])
    expect(fits.map(({ low, high }, i) => [low! < [-0.5, 0][i >> 1]!, high! > [-0.5, 0][i >> 1]!])).toEqual(
      Array(4).fill([true, true]),
    )
    const hidden = curves!.filter(({ optimum }) => optimum.rate === null)
    expect(hidden.map(({ model }) => model)).toContain("lab/Alpha-512")
    expect(hidden.every(({ optimum }) => optimum.high === null && optimum.low! >= 3e-4)).toBe(true)
    expect(curves!.every(({ edge }) => edge.low !== null)).toBe(true)
    const text = await lora("fit", "models.csv", ...columns)
    expect(text.out).toContain("enters the slope as lying beyond")
  })

  test("transfer: the bound and the observed slope are two answers, and the regime says which decides", async () => {
    const columns = await models()
    const move = ["transfer", "--scheme", "init-b", "--lr", "2e-5", "--from-width", "1024", "--to-width", "4096"]
    const alone = TransferJson.parse(JSON.parse((await lora(...move, "--json")).out))
    expect(alone).toMatchObject({ bound: { exponent: "-1" }, observed: null, regime: { kind: "unknown" } })
    expect(alone.bound!.rate).toBeCloseTo(5e-6, 12)
    const { code, out } = await lora(...move, "--fit", "models.csv", ...columns, "--group", "Alpha / 4", "--json")
    expect(code).toBe(0)
    const both = TransferJson.parse(JSON.parse(out))
    expect(both.bound!.rate).toBeCloseTo(5e-6, 12)
    const { rates, rate } = both.observed!
    expect(rate).toBeCloseTo(1e-5, 6)
    expect(rates.low!).toBeLessThan(1e-5)
    expect(rates.high!).toBeGreaterThan(1e-5)
    expect(both.regime.kind).toBe("far below")
    const near = await lora(...move, "--held", "3e-5", "--failed", "1e-4", "--json")
    expect(TransferJson.parse(JSON.parse(near.out)).regime.kind).toBe("near")
    const ranked = await lora(...move, "--from-rank", "4", "--to-rank", "16", "--level", "output", "--json")
    expect(TransferJson.parse(JSON.parse(ranked.out)).bound!.exponent).toContain("rho")
  })

  test.each([
    [
      ["fit", "models.csv", "--width", "n", "--rate", "lr", "--loss", "nll", "--by", "rank", "--family", "x"],
      "--family",
    ],
    [
      [
        "fit",
        "models.csv",
        "--width",
        "n",
        "--rate",
        "lr",
        "--loss",
        "nll",
        "--by",
        "rank",
        "--model",
        "model",
        "--family",
        "Al",
      ],
      "--family",
    ],
    [["fit", "models.csv", "--width", "n", "--rate", "lr", "--loss", "nll", "--model", "name"], "column"],
    [["fit", "models.csv", "--width", "n", "--rate", "lr", "--loss", "nll", "--edge", "-1"], "--edge"],
    [["transfer", "--lr", "0", "--from-width", "8", "--to-width", "16"], "--lr"],
    [["transfer", "--lr", "1", "--from-width", "8", "--to-width", "16", "--from-rank", "9"], "--from-rank"],
    [["transfer", "--lr", "1", "--from-width", "8", "--to-width", "16", "--held", "2", "--failed", "1"], "--failed"],
    [["transfer", "--lr", "1", "--from-width", "8"], "--to-width"],
  ])("bad input of %j names %s", async (words, field) => {
    await models()
    const { code, out, err } = await lora(...words)
    expect([code, out]).toEqual([2, ""])
    expect(err).toContain(field)
  })
})

describe("bad input: the field, the value and what is allowed, exit 2, no file left", () => {
  test.each([
    [["derive", "init-z"], 'scheme: got "init-z", did you mean init-a?; allowed: init-a'],
    [["derive", "init-a", "--set", "c=1e-3"], '--set c: got "1e-3"'],
    [["derive", "init-a", "--set", "k=1"], "allowed: a value for c"],
    [
      ["derive", "init-a", "--set", "c=-1/2", "--set", "c=-1"],
      '--set: got "c=-1/2 and c=-1"; allowed: each symbol once',
    ],
    [["schemes", "--format", "pdf"], '--format: got "pdf"; allowed: text, markdown, latex, csv'],
    [["train", "init-a", "--width", "-3", "--set", "c=-1"], '--width: got "-3"'],
    [["train", "init-a", "--width", "8"], "free symbols c"],
    [["fit", "missing.csv"], 'file: got "missing.csv"'],
    [["verify", "init-a", "--budget", "soon"], '--budget: got "soon"'],
    [["reproduce", "--quick", "--full"], "--full"],
    [["reproduce", "--out", "."], "--out"],
    [["reproduce", "--only", "everything"], '--only: got "everything"; allowed: derived, teacher-student'],
    [["reproduce", "--budget", "0"], '--budget: got "0"'],
    [["verify", "derived", "--seeds", "4"], '--seeds: got "4"'],
    [["nonsense"], "unknown command"],
  ])("%j", async (words, message) => {
    await writeFile(join(folder, "precious.txt"), "kept")
    const before = await readdir(folder)
    const { code, out, err } = await lora(...words)
    expect(err).toContain(message)
    expect(code).toBe(2)
    expect(out).toBe("")
    expect(await readdir(folder)).toEqual(before)
  })
})

test("Ctrl-C ends a reproduction with 130, no report half-written, finished runs kept", async () => {
  const place = await mkdtemp(join(tmpdir(), "interrupt-"))
  const child = spawn(process.execPath, [program, "reproduce", "--only", "theory-setting", "--out", "report"], {
    cwd: place,
    stdio: "ignore",
  })
  const journal = join(place, "report.duckdb.journal.wal")
  const size = () =>
    stat(journal).then(
      (file) => file.size,
      () => 0,
    )
  // Its table alone is smaller than this: runs are stored.
  while ((await size()) < 10_000) await new Promise((resolve) => setTimeout(resolve, 100))
  child.kill("SIGINT")
  const code = await new Promise((resolve) => child.once("exit", resolve))
  expect(code).toBe(130)
  expect((await readdir(place)).filter((name) => !name.startsWith("report.duckdb"))).toEqual([])
  const { openStore } = await import("../../src/sweep/store.js")
  const store = await openStore(join(place, "report.duckdb"), {})
  expect(store.finished.size).toBeGreaterThan(0)
  await store.close()
  await rm(place, { recursive: true })
})

test("a reader that stops early (`| head`) is no failure", async () => {
  const child = spawn(process.execPath, [program, "reproduce", "--help"], { stdio: ["ignore", "pipe", "pipe"] })
  child.stdout.destroy()
  let err = ""
  child.stderr.on("data", (text) => {
    err += text
  })
  const code = await new Promise((resolve) => child.once("close", resolve))
  expect([code, err]).toEqual([0, ""])
})
