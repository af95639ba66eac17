import cliProgress from "cli-progress"

/**
 * A progress bar on stderr with rate and time left; silent where stderr is no terminal.
 *
 * `tick` tells that one is done, and what of the work; `advance` tells of work alone.
 *
 * @param total how many runs.
 * @param work what they come to in any unit; the time left is reckoned by it, and by the runs if it is not known.
 */
export function progress(
  label: string,
  total: number,
  work = total,
): { tick: (work?: number) => void; advance: (work: number) => void; stop: () => void } {
  const format = `${label} {bar} {done}/${total}, {rate}/s, {eta_formatted} left`
  const bar = new cliProgress.SingleBar({
    format,
    stream: process.stderr,
    noTTYOutput: false,
    clearOnComplete: true,
    etaBuffer: 100,
  })
  const start = performance.now()
  let done = 0
  if (process.stderr.isTTY) bar.start(work, 0, { done, rate: "?" })
  return {
    tick: (amount = 1) => {
      done++
      bar.increment(amount, { done, rate: ((1000 * done) / (performance.now() - start)).toPrecision(3) })
    },
    advance: (amount) => bar.increment(amount),
    stop: () => bar.stop(),
  }
}
