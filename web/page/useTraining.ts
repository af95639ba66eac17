import { useEffect, useRef, useState } from "preact/hooks"
import type { Claim, Refusal, TrainAsked, TrainNews, WidthMeasured } from "../messages.js"

/** A training as far as it has come. */
export interface Trained {
  readonly asked: TrainAsked
  readonly widths: readonly number[]
  readonly backend: string
  readonly derived: Readonly<Record<string, readonly (number | null)[]>>
  readonly measured: readonly WidthMeasured[]
  /** Null until all widths are trained. */
  readonly claims: readonly Claim[] | null
  readonly milliseconds: number
  readonly refusal: Refusal | null
}

/** Trains when it is told to, in a worker that ends with the training; a second training ends the first. */
export function useTraining(): {
  readonly trained: Trained | null
  readonly isRunning: boolean
  readonly start: (asked: TrainAsked) => void
  readonly stop: () => void
} {
  const [trained, setTrained] = useState<Trained | null>(null)
  const [isRunning, setRunning] = useState(false)
  const worker = useRef<Worker | null>(null)
  const stop = () => {
    worker.current?.terminate()
    worker.current = null
    setRunning(false)
  }
  useEffect(() => stop, [])
  const start = (asked: TrainAsked) => {
    stop()
    setRunning(true)
    setTrained({
      asked,
      widths: [],
      backend: "",
      derived: {},
      measured: [],
      claims: null,
      milliseconds: 0,
      refusal: null,
    })
    worker.current = new Worker(new URL("trainer.js", document.baseURI), { type: "module" })
    worker.current.onmessage = ({ data }: MessageEvent<TrainNews>) => {
      setTrained((before) => before && told(before, data))
      if (data.kind === "done" || data.kind === "refused") stop()
    }
    worker.current.postMessage(asked)
  }
  return { trained, isRunning, start, stop }
}

function told(before: Trained, news: TrainNews): Trained {
  switch (news.kind) {
    case "begun":
      return { ...before, widths: news.widths, backend: news.backend, derived: news.derived }
    case "width":
      return { ...before, measured: [...before.measured, { width: news.width, sizes: news.sizes }] }
    case "done":
      return { ...before, claims: news.claims, milliseconds: news.milliseconds }
    case "refused":
      return { ...before, refusal: news.refusal }
  }
}
