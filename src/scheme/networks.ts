import type { Architecture } from "../program/models/stack.js"
import type { SchemeDefinition } from "./scheme.js"

const initA = { start: { A: { exponent: "-1/2" }, B: "zero" }, rates: { A: "c", B: "c" }, optimiser: "sign" } as const
const initB = { start: { A: "zero", B: { exponent: "0" } }, rates: { A: "c", B: "c" }, optimiser: "sign" } as const

const relu = (layers: number): Architecture => ({ layers, activation: "relu", residual: false })
const tanh: Architecture = { layers: 2, activation: "tanh", residual: false }
const ownRates = [
  { A: "c1", B: "c1" },
  { A: "c2", B: "c2" },
]

/** Several frozen layers with an adapter each. */
export const NETWORK_SCHEMES: readonly SchemeDefinition[] = [
  { name: "two-layers-init-a", title: "Init[A] on two layers", ...initA, network: relu(2), example: { c: "-3/4" } },
  { name: "two-layers-init-b", title: "Init[B] on two layers", ...initB, network: relu(2), example: { c: "-1" } },
  { name: "three-layers-init-a", title: "Init[A] on three layers", ...initA, network: relu(3), example: { c: "-3/4" } },
  { name: "three-layers-init-b", title: "Init[B] on three layers", ...initB, network: relu(3), example: { c: "-1" } },
  { name: "tanh-init-a", title: "Init[A] on two tanh layers", ...initA, network: tanh, example: { c: "-3/4" } },
  { name: "tanh-init-b", title: "Init[B] on two tanh layers", ...initB, network: tanh, example: { c: "-1" } },
  {
    name: "residual-init-a",
    title: "Init[A] on two ReLU layers with residual connections",
    ...initA,
    network: { ...relu(2), residual: true },
    example: { c: "-3/4" },
  },
  {
    name: "residual-init-b",
    title: "Init[B] on two ReLU layers with residual connections",
    ...initB,
    network: { ...relu(2), residual: true },
    example: { c: "-1" },
  },
  {
    name: "layer-rates-init-a",
    title: "Init[A] on two ReLU layers, a rate for each",
    ...initA,
    rates: ownRates,
    network: relu(2),
    example: { c1: "-1", c2: "-1/2" },
  },
]
