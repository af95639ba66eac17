import { schemeNamed } from "/tmp/wt/precision/src/scheme/catalogue.js"
import { scheme } from "/tmp/wt/precision/src/scheme/scheme.js"
import { gaussians } from "/tmp/wt/precision/src/train/random.js"
import { run } from "/tmp/wt/precision/src/train/run.js"
for (const [name, at] of [["init-a",{c:"-1/2"}],["init-b",{c:"-1"}],["lora-plus",{cA:"-1",cB:"0"}]] as const) {
  const ready = scheme({...schemeNamed(name), optimiser: "sign"}, at)
  run(ready, {width: 2**14, rank: 4, steps: 3, seed: 1})
  for (const k of [16, 18, 20]) {
    const t0=process.cpuUsage(); const t = performance.now()
    const r = run(ready, {width: 2**k, rank: 4, steps: 3, seed: 1})
    console.log(name, k, (performance.now()-t).toFixed(0), "ms", ((u)=>(u.user+u.system)/2**k*1e3)(process.cpuUsage(t0)).toFixed(0), "cpu ns/n", (process.resourceUsage().maxRSS/1024).toFixed(0), "MiB", r.history[2].meanSquares.zA, r.history[2].loss)
  }
}
const t = performance.now(); gaussians(1, "x", 7 * 2**20); console.log("gaussians", ((performance.now()-t)/7/2**20*1e6).toFixed(1), "ns each")
