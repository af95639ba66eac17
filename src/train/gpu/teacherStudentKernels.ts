/**
 * The kernels of the teacher-student experiment in WGSL, written for given sizes.
 *
 * Activations lie as [set of data][four rows][sample] of four rows each; factors as [value, mean, square][run][rank
 * index][row]; Z_A as [run][rank index][sample]. A workgroup has some runs and a group of rows. Where samples
 * are summed a thread has a row, where rows are summed it has a sample; the ReLU's mask passes from one to the other as
 * bits in the workgroup's memory.
 */

import type { Activations } from "../teacherStudent.js"
import { QUADS, UNPACK_QUAD } from "./activations.js"

/** What the kernels are written for. */
export interface KernelConstants {
  readonly rank: number
  /** Threads of a workgroup, a power of two. */
  readonly threads: number
  /** Samples that a thread has, at most: their number over that of the threads, rounded up. */
  readonly blocks: number
  /** Rows worked on together: 64 or 32. */
  readonly tile: number
  /** Runs that a thread works on together: an activation is loaded once for all of them. */
  readonly together: number
  /** How P and H lie. */
  readonly activations: Activations
}

export type KernelName = "forward" | "residual" | "backward" | "sumGradientZ" | "update" | "sumZ"

/** Samples of P that lie in the workgroup's memory at once. */
const STAGED = 32

/** The most bytes of a workgroup's memory that a kernel takes. */
export function workgroupBytes({ rank, threads, tile, together }: KernelConstants): number {
  const factors = 4 * together * tile * rank
  const backward = factors + 4 * together * tile + 4 * together * (tile / 32) * threads
  const update = factors + 4 * tile * (STAGED + 1) + 4 * together * rank * STAGED
  return Math.max(backward, update, 16 * threads)
}

/** Adam's constants, as in `program/optimiser`. */
const ADAM = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } as const

/** The WGSL of a kernel. */
export function teacherStudentKernel(name: KernelName, constants: KernelConstants): string {
  const { rank, threads, tile, together } = constants
  const header = `
const R = ${rank}u;
const W = ${threads}u; // threads of a workgroup
const T = ${tile}u; // rows of a tile
const G = ${together}u; // runs of a workgroup
struct Step { mean: f32, square: f32, first: u32, rows: u32, tiles: u32, tilesPerGroup: u32, runs: u32, groups: u32, strideF: u32, strideZ: u32, samples: u32 }
struct Run { rateA: f32, rateB: f32, readout: u32, data: u32 }
@group(0) @binding(0) var<uniform> s: Step;
`
  const body = {
    forward,
    residual,
    backward,
    update,
    sumZ: sumParts,
    sumGradientZ: sumParts,
  }[name](constants)
  return header + body
}

const MAIN =
  "@compute @workgroup_size(W) fn main(@builtin(workgroup_id) wg: vec3u, @builtin(local_invocation_index) t: u32)"

/** The texts of an index from 0, joined. */
function each(count: number, text: (i: number) => string, joint = "\n"): string {
  return Array.from({ length: count }, (_, i) => text(i)).join(joint)
}

/** Where a workgroup is: its runs, its rows, its activations. */
const PLACE = `
  let run0 = wg.x * G;
  let rows = s.rows;
  let place = runs[run0].data * (rows / 4u) * N;
  let tile0 = wg.y * s.tilesPerGroup;
  let tile1 = min(tile0 + s.tilesPerGroup, s.tiles);`

/** The binding of activations, and what reads them. */
function activationsAt({ activations }: KernelConstants, name: "P" | "H"): string {
  const binding = `@group(0) @binding(1) var<storage, read> ${name}: array<${QUADS[activations].type}>;`
  return activations === "float16" ? `${binding}\n${UNPACK_QUAD}` : binding
}

/** Loads a tile's rows of B and of the readout into the workgroup's memory. */
const LOAD_B = `
      for (var x = t; x < G * R * T; x += W) {
        let i = x % T;
        let jk = x / T;
        b[((jk / R) * T + i) * R + jk % R] = B[(run0 * R + jk) * rows + tile * T + i];
      }
      for (var x = t; x < G * T; x += W) { ws[x] = w[runs[run0 + x / T].readout * rows + tile * T + x % T]; }`

/** Z_A of a thread's sample. */
function loadZ({ together, rank }: KernelConstants): string {
  return each(together, (j) => each(rank, (k) => `let z${j}_${k} = Z[((run0 + ${j}u) * R + ${k}u) * N + q];`))
}

/** Z_B of one row (component c of a quad, at `row` of the tile) for run j. */
function zB({ rank }: KernelConstants, j: number): string {
  return each(rank, (k) => `b[at${j} + ${k}u] * z${j}_${k}`, " + ")
}

/** For each of a quad's four rows and each run: `text`, with `at` where its factors lie in the workgroup's memory. */
function rowsOfQuad(constants: KernelConstants, text: (c: number, j: number) => string): string {
  return each(
    4,
    (c) =>
      `{ ${each(
        constants.together,
        (j) => `{ let row = ${j}u * T + quad * 4u + ${c}u; let at${j} = row * R; ${text(c, j)} }`,
      )} }`,
  )
}

function forward(constants: KernelConstants): string {
  const { together } = constants
  const { value } = QUADS[constants.activations]
  return `
${activationsAt(constants, "H")}
@group(0) @binding(2) var<storage, read> B: array<f32>;
@group(0) @binding(3) var<storage, read> w: array<f32>;
@group(0) @binding(4) var<storage, read> Z: array<f32>;
@group(0) @binding(5) var<storage, read> runs: array<Run>;
@group(0) @binding(6) var<storage, read_write> part: array<vec2f>;
var<workgroup> b: array<f32, G * T * R>;
var<workgroup> ws: array<f32, G * T>;
${MAIN} {
  let N = s.samples;${PLACE}
  for (var q0 = 0u; q0 < N; q0 += W) {
    let live = q0 + t < N;
    let q = min(q0 + t, N - 1u);
    ${loadZ(constants)}
    ${each(together, (j) => `var sum${j} = vec2f(0);`)}
    for (var tile = tile0; tile < tile1; tile++) {
      workgroupBarrier();${LOAD_B}
      workgroupBarrier();
      for (var quad = 0u; quad < T / 4u; quad++) {
        let h = ${value("H[place + (tile * (T / 4u) + quad) * N + q]")};
        ${rowsOfQuad(constants, (c, j) => `let zB = ${zB(constants, j)}; sum${j} += vec2f(ws[row] * max(h[${c}] + zB, 0.0), zB * zB);`)}
      }
    }
    if (live) { ${each(together, (j) => `part[wg.y * s.strideF + (run0 + ${j}u) * N + q] = sum${j};`)} }
  }
}`
}

function residual(): string {
  return `
@group(0) @binding(1) var<storage, read> part: array<vec2f>;
@group(0) @binding(2) var<storage, read> Z: array<f32>;
@group(0) @binding(3) var<storage, read> y: array<f32>;
@group(0) @binding(4) var<storage, read> runs: array<Run>;
@group(0) @binding(5) var<storage, read_write> residual: array<f32>;
@group(0) @binding(6) var<storage, read_write> f0: array<f32>;
@group(0) @binding(7) var<storage, read_write> record: array<vec4f>;
var<workgroup> sums: array<vec4f, W>;
${MAIN} {
  let N = s.samples;
  let run = wg.x;
  var sum = vec4f(0);
  for (var q = t; q < N; q += W) {
    var f = vec2f(0);
    for (var group = 0u; group < s.groups; group++) { f += part[group * s.strideF + run * N + q]; }
    let difference = f.x - y[runs[run].data * N + q];
    residual[run * N + q] = difference;
    if (s.first == 1u) { f0[run * N + q] = f.x; }
    let change = f.x - f0[run * N + q];
    var squares = 0.0;
    for (var k = 0u; k < R; k++) { let z = Z[(run * R + k) * N + q]; squares += z * z; }
    sum += vec4f(difference * difference, squares, f.y, change * change);
  }
  sums[t] = sum;
  workgroupBarrier();
  for (var half = W / 2u; half > 0u; half /= 2u) {
    if (t < half) { sums[t] += sums[t + half]; }
    workgroupBarrier();
  }
  if (t == 0u) { record[run] = sums[0]; }
}`
}

/** Adam on the factor's row i and rank index k of the run, by gradient g: its new value. */
function adam(factor: "A" | "B"): string {
  return `
fn adam(run: u32, k: u32, i: u32, g: f32) -> f32 {
  let value = (run * R + k) * s.rows + i;
  let mean = value + s.runs * R * s.rows;
  let square = mean + s.runs * R * s.rows;
  let m = ${ADAM.beta1} * ${factor}[mean] + ${1 - ADAM.beta1} * g;
  let v = ${ADAM.beta2} * ${factor}[square] + ${1 - ADAM.beta2} * g * g;
  let next = ${factor}[value] - runs[run].rate${factor} * s.mean * m / (sqrt(s.square * v) + ${ADAM.epsilon});
  ${factor}[mean] = m;
  ${factor}[square] = v;
  ${factor}[value] = next;
  return next;
}`
}

/** A thread's rows: `text` for each of its pairs of run j and row. */
function tasks({ together, tile, threads }: KernelConstants, text: (a: number) => string): string {
  return each(
    Math.ceil((together * tile) / threads),
    (a) => `{
        let x = t + ${a}u * W;
        if (x < G * T) { let j = x / T; let row = x % T; ${text(a)} }
      }`,
  )
}

/** Sums over rows that a thread keeps for its samples: run, rank index, block of samples. */
function kept({ together, rank, blocks }: KernelConstants): {
  readonly declare: string
  readonly at: (j: number, k: number) => string
} {
  const all = together * rank
  return {
    declare: `var kept = array<f32, ${blocks * all}>();`,
    at: (j, k) => (blocks === 1 ? `kept[${j * rank + k}]` : `kept[block * ${all}u + ${j * rank + k}u]`),
  }
}

const BLOCKS = "for (var block = 0u; block * W < N; block++)"
const SAMPLE = "let live = block * W + t < N; let q = min(block * W + t, N - 1u);"

/** Writes what is kept into the group's part, times a factor. */
function writeKept(constants: KernelConstants, factor: (j: number) => string): string {
  const { together, rank } = constants
  const sums = kept(constants)
  return `${BLOCKS} {
    ${SAMPLE}
    if (live) { ${each(together, (j) => each(rank, (k) => `part[wg.y * s.strideZ + ((run0 + ${j}u) * R + ${k}u) * N + q] = ${factor(j)}${sums.at(j, k)};`))} }
  }`
}

function backward(constants: KernelConstants): string {
  const { together, rank, tile, threads } = constants
  const sums = kept(constants)
  const perThread = Math.ceil((together * tile) / threads)
  const { value } = QUADS[constants.activations]
  return `
${activationsAt(constants, "H")}
@group(0) @binding(2) var<storage, read_write> B: array<f32>;
@group(0) @binding(3) var<storage, read> w: array<f32>;
@group(0) @binding(4) var<storage, read> Z: array<f32>;
@group(0) @binding(5) var<storage, read> residual: array<f32>;
@group(0) @binding(6) var<storage, read> runs: array<Run>;
@group(0) @binding(7) var<storage, read_write> part: array<f32>;
var<workgroup> b: array<f32, G * T * R>;
var<workgroup> ws: array<f32, G * T>;
var<workgroup> masks: array<u32, G * (T / 32u) * W>; // a bit a row
${adam("B")}
${MAIN} {
  let N = s.samples;${PLACE}
  ${sums.declare}
  for (var tile = tile0; tile < tile1; tile++) {
      workgroupBarrier();${LOAD_B}
      workgroupBarrier();
    // Set to zero here: some drivers set a variable without a value to zero once, not on every round.
    var gradient = array<f32, ${perThread * rank}>();
    ${BLOCKS} {
      ${SAMPLE}
      ${loadZ(constants)}
      for (var half = 0u; half < T / 32u; half++) {
        ${each(together, (j) => `var mask${j} = 0u;`)}
        for (var quad = half * 8u; quad < half * 8u + 8u; quad++) {
          let h = ${value("H[place + (tile * (T / 4u) + quad) * N + q]")};
          ${rowsOfQuad(
            constants,
            (c, j) => `
            let on = h[${c}] + (${zB(constants, j)}) > 0.0;
            mask${j} |= select(0u, 1u << ((quad % 8u) * 4u + ${c}u), on);
            let weight = select(0.0, ws[row], on);
            ${each(rank, (k) => `${sums.at(j, k)} += weight * b[at${j} + ${k}u];`)}`,
          )}
        }
        ${each(together, (j) => `masks[(${j}u * (T / 32u) + half) * W + t] = select(0u, mask${j}, live);`)}
      }
      workgroupBarrier();
      ${tasks(
        constants,
        (a) => `
        for (var x = 0u; x < min(W, N - block * W); x++) {
          let sample = block * W + x;
          let on = (masks[(j * (T / 32u) + row / 32u) * W + x] >> (row % 32u)) & 1u;
          let weight = select(0.0, residual[(run0 + j) * N + sample], on == 1u);
          ${each(rank, (k) => `gradient[${a * rank + k}] += weight * Z[((run0 + j) * R + ${k}u) * N + sample];`)}
        }`,
      )}
      workgroupBarrier();
    }
    ${tasks(constants, (a) =>
      each(rank, (k) => `adam(run0 + j, ${k}u, tile * T + row, ws[x] * gradient[${a * rank + k}] / f32(N));`),
    )}
  }
  ${writeKept(constants, (j) => `residual[(run0 + ${j}u) * N + q] / f32(N) * `)}
}`
}

function update(constants: KernelConstants): string {
  const { together, rank, tile, threads } = constants
  const sums = kept(constants)
  const perThread = Math.ceil((together * tile) / threads)
  const { value } = QUADS[constants.activations]
  return `
${activationsAt(constants, "P")}
@group(0) @binding(2) var<storage, read_write> A: array<f32>;
@group(0) @binding(3) var<storage, read> gradientZ: array<f32>;
@group(0) @binding(4) var<storage, read> runs: array<Run>;
@group(0) @binding(5) var<storage, read_write> part: array<f32>;
const STAGED = ${STAGED}u;
var<workgroup> staged: array<vec4f, (T / 4u) * (STAGED + 1u)>; // one more, so that rows lie in different banks
var<workgroup> stagedZ: array<f32, G * R * STAGED>;
var<workgroup> a: array<f32, G * T * R>;
${adam("A")}
${MAIN} {
  let N = s.samples;${PLACE}
  ${sums.declare}
  for (var tile = tile0; tile < tile1; tile++) {
    var gradient = array<f32, ${perThread * rank}>();
    for (var q0 = 0u; q0 < N; q0 += STAGED) {
      workgroupBarrier();
      for (var x = t; x < (T / 4u) * STAGED; x += W) {
        let q = q0 + x % STAGED;
        let p = ${value("P[place + (tile * (T / 4u) + x / STAGED) * N + min(q, N - 1u)]")};
        staged[(x / STAGED) * (STAGED + 1u) + x % STAGED] = select(vec4f(0), p, q < N);
      }
      for (var x = t; x < G * R * STAGED; x += W) {
        let q = q0 + x % STAGED;
        stagedZ[x] = select(0.0, gradientZ[(run0 * R + x / STAGED) * N + min(q, N - 1u)], q < N);
      }
      workgroupBarrier();
      ${tasks(
        constants,
        (a) => `
        for (var y = 0u; y < STAGED; y++) {
          let p = staged[(row / 4u) * (STAGED + 1u) + y][row % 4u];
          ${each(rank, (k) => `gradient[${a * rank + k}] += stagedZ[(j * R + ${k}u) * STAGED + y] * p;`)}
        }`,
      )}
    }
    ${tasks(constants, (t) =>
      each(rank, (k) => `a[x * R + ${k}u] = adam(run0 + j, ${k}u, tile * T + row, gradient[${t * rank + k}]);`),
    )}
    workgroupBarrier();
    ${BLOCKS} {
      ${SAMPLE}
      for (var quad = 0u; quad < T / 4u; quad++) {
        let p = ${value("P[place + (tile * (T / 4u) + quad) * N + q]")};
        ${rowsOfQuad(constants, (c, j) => each(rank, (k) => `${sums.at(j, k)} += a[at${j} + ${k}u] * p[${c}];`))}
      }
    }
  }
  ${writeKept(constants, () => "")}
}`
}

function sumParts(): string {
  return `
@group(0) @binding(1) var<storage, read> part: array<f32>;
@group(0) @binding(2) var<storage, read_write> sum: array<f32>;
${MAIN} {
  let N = s.samples;
  let x = wg.x * W + t;
  if (x < s.runs * R * N) {
    var total = 0.0;
    for (var group = 0u; group < s.groups; group++) { total += part[group * s.strideZ + x]; }
    sum[x] = total;
  }
}`
}
