// Uses the installed package from plain JavaScript: an import by its name, its schemas, and worker threads.
import assert from "node:assert/strict"
import { check, derive, InputError, scheme, schemeNamed } from "lora-scaling"
import derivation from "lora-scaling/schema/derive-1.json" with { type: "json" }

assert.equal(derivation.type, "object")
assert.throws(() => schemeNamed("init-z"), InputError)
assert.equal(derive(scheme(schemeNamed("init-a"))).largestRate.features?.map(String).length, 1)

const small = { at: { c: "-1/2" }, widths: [16, 32, 64], seeds: 2, steps: 2 }
const [alone, threads] = await Promise.all([0, 2].map((workers) => check(schemeNamed("init-a"), { ...small, workers })))
assert.deepEqual(threads, alone)
console.log(`${threads.length} claims`)
