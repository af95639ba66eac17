import { answered } from "../answered.js"
import { type ModuleTask, measureModule } from "./measureModule.js"

/** What a worker thread does: one module, measured. */
export default (task: ModuleTask) => answered(measureModule(task))
