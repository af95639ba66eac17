import { check, derive, formatCondition, type SchemeDefinition, scheme } from "lora-scaling"

const mine: SchemeDefinition = {
  name: "mine",
  title: "both factors start random, a rate for each",
  start: { A: { exponent: "a0 - 1/2" }, B: { exponent: "b0" } },
  rates: { A: "cA", B: "cB" },
  optimiser: "sign",
}
const starts = { a0: "1/4", b0: "-1/3" }

console.log("stable iff", formatCondition(derive(scheme(mine, starts)).stable))
const claims = await check(mine, { at: { ...starts, cA: "-2/3", cB: "-1/5" } })
console.table(
  claims.map(({ quantity, step, derived, exponent, interval, verdict }) => ({
    quantity,
    step,
    derived,
    exponent,
    interval: String(interval),
    verdict,
  })),
)
