/** Scripts as commands: `--help` tells what one does; bad input, or a missing engine, ends it with a line and exit code 2. */
import { type Command, CommanderError } from "commander"
import { InputError } from "../src/inputError.js"
import { GraphFailure } from "../src/train/graph/engine.js"
import { TuningFailure } from "../src/train/tuning/engine.js"

/** Reads the words that the script was started with, and acts on them. */
export async function runScript(command: Command): Promise<void> {
  try {
    await command.exitOverride().parseAsync()
  } catch (error) {
    // Commander has said what it has to say itself.
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2
    else if (error instanceof InputError || error instanceof GraphFailure || error instanceof TuningFailure) {
      process.stderr.write(`error: ${error.message}\n`)
      process.exitCode = 2
    } else throw error
  }
}
