/** The worker that derives: the page asks, and never waits. */
import { z } from "zod"
import { OPTIMISERS } from "../../src/program/optimiser.js"
import { whyJson } from "../../src/report/why.js"
import { CATALOGUE } from "../../src/scheme/catalogue.js"
import type { Asked, QuestionKind, Questions, Reply } from "../messages.js"
import { diagramOf, settingOf } from "./diagram.js"
import { refusalOf } from "./refusal.js"
import { scope } from "./scope.js"
import { transferred } from "./transferred.js"

// The page's policy forbids code made from texts.
z.config({ jitless: true })

const ANSWERS: { readonly [K in QuestionKind]: (asked: Questions[K]["asked"]) => Questions[K]["answer"] } = {
  catalogue: () => ({
    schemes: CATALOGUE.map(({ name, title, network, spaces, model }) => ({
      name,
      title,
      onModels: network === undefined && spaces === undefined && model === undefined,
    })),
    optimisers: Object.keys(OPTIMISERS),
  }),
  diagram: diagramOf,
  transfer: transferred,
  why: ({ of, ...asked }) => whyJson(settingOf(asked).derivation, of),
}

scope.onmessage = ({ data }) => {
  const { id, kind, asked } = data as Asked
  let reply: Reply
  try {
    reply = { id, answer: (ANSWERS[kind] as (asked: unknown) => unknown)(asked) }
  } catch (error) {
    reply = { id, refusal: refusalOf(error) }
  }
  scope.postMessage(reply)
}
