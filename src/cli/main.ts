#!/usr/bin/env node
import module from "node:module"

// Node 22 and newer can keep what they compiled for the next start; Node 20 compiles anew.
const { enableCompileCache } = module as { readonly enableCompileCache?: () => void }
enableCompileCache?.()
await import("./commands.js")
