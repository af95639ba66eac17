/** How a task ended that is not under way any more. */
export interface TaskEnd {
  /** In words: "killed by SIGKILL", "TIMEOUT". */
  readonly words: string
  /** Whether someone ended it on purpose, so that it is not begun again by itself. */
  readonly cancelled: boolean
}

/** How many tasks of an array are where. */
export interface Progress {
  readonly running: number
  readonly waiting: number
  readonly ended: number
  /** What the queue says of why others wait. */
  readonly why?: string
}

/** What starts the tasks of an array somewhere and waits for them. */
export interface Launcher {
  /** How many tasks, the merge at the end among them, are under way: begun now or by an earlier launch. */
  underWay(): Promise<number>
  /** Starts these tasks, and returns at once. */
  start(tasks: readonly number[]): Promise<void>
  /**
   * Resolves when nothing is under way: how the tasks ended as far as that is known.
   *
   * @param told the tasks' whereabouts, whenever they change.
   * @throws the signal's reason if it aborts.
   */
  ended(told: (progress: Progress) => void, signal: AbortSignal): Promise<ReadonlyMap<number, TaskEnd>>
}

/** Tasks could not be started or did not end well, which the user can mend: the command line ends with 2. */
export class LaunchFailure extends Error {
  override readonly name = "LaunchFailure"
}
