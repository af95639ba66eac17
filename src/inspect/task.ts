/** What a worker thread does: one module, measured. */
export { measureModule as default } from "./measureModule.js"
