import { schemeNamed } from "./src/scheme/catalogue.js"
import { scheme } from "./src/scheme/scheme.js"
import { run } from "./src/train/run.js"
const ready = scheme({...schemeNamed("init-a"), optimiser: "sign"}, {c:"-1/2"})
for (let s = 0; s < 12; s++) run(ready, {width: 2**18, rank: 4, steps: 3, seed: s})
