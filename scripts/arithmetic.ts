/** Sums and differences of small numbers in words, made by a seed, in the layout of GSM8K. */
import { uniforms } from "../src/train/random.js"

/** A row in the layout of GSM8K. */
export interface Problem {
  readonly question: string
  /** It ends with a line "#### 42". */
  readonly answer: string
}

const NAMES = ["Ann", "Ben", "Eva", "Max", "Tom", "Zoe"]
const THINGS = ["apples", "books", "coins", "eggs", "pens", "stamps"]

/** Problems that differ from one another, the same ones for the same seed. */
export function problems(count: number, seed: number): Problem[] {
  const uniform = uniforms(seed, "arithmetic")
  const whole = (below: number) => Math.floor(uniform() * below)
  const found = new Map<string, Problem>()
  while (found.size < count) {
    const [name, thing] = [NAMES[whole(NAMES.length)]!, THINGS[whole(THINGS.length)]!]
    const first = 10 + whole(80)
    const isSum = whole(2) === 0
    const second = 1 + whole(isSum ? 60 : first - 1)
    const [verb, result] = isSum ? ["gets", first + second] : ["gives away", first - second]
    const question = `${name} has ${first} ${thing} and ${verb} ${second}. How many ${thing} has ${name} now?`
    found.set(question, { question, answer: `#### ${result}` })
  }
  return [...found.values()]
}
