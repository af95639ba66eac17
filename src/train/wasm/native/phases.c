#include "phases.h"
#include <string.h>
#include "passes.h"

/* Floats at an address of the memory. */
static inline float *at(Run run, uint32_t address) { return (float *)(run.memory + address); }

static inline size_t samples(const Plan *plan) { return (size_t)plan->tiles * TILE; }
static inline size_t rankBlock(const Plan *plan) { return RANKS * samples(plan); }
static inline size_t allRanks(const Plan *plan) { return plan->rankBlocks * rankBlock(plan); }
static inline size_t factorBlock(const Plan *plan) { return (size_t)plan->rowBlocks * ROWS * RANKS; }
/* Where a block of ROWS rows and RANKS ranks stands in a factor, its mean and its square. */
static inline size_t blockOf(const Plan *plan, uint32_t block, uint32_t rank) {
  return rank * factorBlock(plan) + (size_t)block * ROWS * RANKS;
}
static inline uint32_t firstBlock(const Plan *plan, uint32_t group) {
  return (uint32_t)((uint64_t)group * plan->rowBlocks / plan->groups);
}
static inline uint16_t *maskOfBlock(Run run, uint32_t block) {
  return (uint16_t *)(run.memory + run.plan->mask) + (size_t)block * ROWS * run.plan->tiles;
}
/* Per group. */
static inline double *squaresOf(Run run) { return (double *)(run.memory + run.plan->partSquares); }

/* A thread's room: residual, Z_A, its gradient, ROWS rows of samples, two blocks of a factor, and f. */
typedef struct {
  float *residual, *Z, *gradientZ, *G, *gradient, *weighted, *f;
} Room;

static inline Room roomOf(Run run, uint32_t thread) {
  const Plan *plan = run.plan;
  Room room;
  room.residual = (float *)(run.memory + plan->own + (size_t)thread * plan->ownBytes);
  room.Z = room.residual + samples(plan);
  room.gradientZ = room.Z + allRanks(plan);
  room.G = room.gradientZ + allRanks(plan);
  room.gradient = room.G + ROWS * samples(plan);
  room.weighted = room.gradient + ROWS * RANKS;
  room.f = room.weighted + ROWS * RANKS;
  return room;
}

/* A group's part of a sum over all ranks, nothing summed yet. */
static inline float *emptyPart(Run run, uint32_t parts, uint32_t group) {
  float *part = at(run, parts) + group * allRanks(run.plan);
  memset(part, 0, sizeof(float) * allRanks(run.plan));
  return part;
}

/* to = the groups' parts, one after the other: the order does not depend on who summed which part. */
static void sumParts(const float *parts, size_t count, uint32_t groups, float *to) {
  for (size_t i = 0; i < count; i += WIDE) {
    V sum = load(parts + i);
    for (uint32_t group = 1; group < groups; group++) sum = add(sum, load(parts + group * count + i));
    store(to + i, sum);
  }
}

static double sumRanks(Run run, uint32_t parts, float *to) {
  const size_t count = allRanks(run.plan);
  sumParts(at(run, parts), count, run.plan->groups, to);
  double squares = 0;
  for (size_t i = 0; i < count; i += WIDE) squares += total(mul(load(to + i), load(to + i)));
  return squares;
}

void startZ(Run run, uint32_t group) {
  const Plan *plan = run.plan;
  float *Z = emptyPart(run, plan->partZ, group);
  for (uint32_t block = firstBlock(plan, group); block < firstBlock(plan, group + 1); block++)
    for (uint32_t rank = 0; rank < plan->rankBlocks; rank++)
      outer(at(run, plan->P) + block * ROWS * samples(plan), at(run, plan->A) + blockOf(plan, block, rank),
            Z + rank * rankBlock(plan), plan->tiles);
}

double sumZ(Run run, uint32_t thread) { return sumRanks(run, run.plan->partZ, roomOf(run, thread).Z); }

double sumGradientZ(Run run, uint32_t thread) {
  return sumRanks(run, run.plan->partGradientZ, roomOf(run, thread).gradientZ);
}

void forward(Run run, uint32_t thread, uint32_t group) {
  const Plan *plan = run.plan;
  const Room room = roomOf(run, thread);
  float *f = at(run, plan->partF) + group * samples(plan);
  memset(f, 0, sizeof(float) * samples(plan));
  double squares = 0;
  for (uint32_t block = firstBlock(plan, group); block < firstBlock(plan, group + 1); block++)
    squares += forwardBlock(at(run, plan->H) + block * ROWS * samples(plan), at(run, plan->B) + block * ROWS * RANKS,
                            factorBlock(plan), room.Z, rankBlock(plan), plan->rankBlocks,
                            at(run, plan->w) + block * ROWS, f, maskOfBlock(run, block), plan->tiles);
  squaresOf(run)[group] = squares;
}

void residual(Run run, uint32_t thread, uint32_t sizes, bool isFirst) {
  const Plan *plan = run.plan;
  const Room room = roomOf(run, thread);
  const float *y = at(run, plan->y), *f0 = at(run, plan->f0);
  sumParts(at(run, plan->partF), samples(plan), plan->groups, room.residual);
  if (isFirst) memcpy(room.f, room.residual, sizeof(float) * samples(plan));
  const float share = (float)(1.0 / plan->samples);
  double loss = 0, change = 0, squares = 0;
  for (uint32_t q = 0; q < plan->samples; q++) {
    const float f = room.residual[q], difference = f - y[q];
    loss += (double)difference * difference;
    const double moved = isFirst ? 0 : (double)f - f0[q];
    change += moved * moved;
    room.residual[q] = difference * share;
  }
  for (uint32_t q = plan->samples; q < samples(plan); q++) room.residual[q] = 0;
  for (uint32_t group = 0; group < plan->groups; group++) squares += squaresOf(run)[group];
  double *to = (double *)(run.memory + sizes);
  to[0] = loss, to[1] = change, to[2] = squares;
}

void keepF0(Run run, uint32_t thread) {
  memcpy(at(run, run.plan->f0), roomOf(run, thread).f, sizeof(float) * samples(run.plan));
}

void backward(Run run, uint32_t thread, uint32_t group, double rate, double correction) {
  const Plan *plan = run.plan;
  const Room room = roomOf(run, thread);
  float *gradientZ = emptyPart(run, plan->partGradientZ, group);
  for (uint32_t block = firstBlock(plan, group); block < firstBlock(plan, group + 1); block++) {
    masked(room.residual, maskOfBlock(run, block), room.G, plan->tiles);
    const float *w = at(run, plan->w) + block * ROWS;
    for (uint32_t rank = 0; rank < plan->rankBlocks; rank++) {
      const size_t factor = blockOf(plan, block, rank);
      float *B = at(run, plan->B) + factor;
      inner(room.G, room.Z + rank * rankBlock(plan), room.gradient, plan->tiles);
      for (int i = 0; i < ROWS * RANKS; i++) {
        room.gradient[i] *= w[i / RANKS];
        room.weighted[i] = B[i] * w[i / RANKS];
      }
      outer(room.G, room.weighted, gradientZ + rank * rankBlock(plan), plan->tiles);
      adam(B, at(run, plan->meanB) + factor, at(run, plan->squareB) + factor, room.gradient, rate, correction);
    }
  }
}

void update(Run run, uint32_t thread, uint32_t group, double rate, double correction) {
  const Plan *plan = run.plan;
  const Room room = roomOf(run, thread);
  float *Z = emptyPart(run, plan->partZ, group);
  for (uint32_t block = firstBlock(plan, group); block < firstBlock(plan, group + 1); block++) {
    const float *P = at(run, plan->P) + block * ROWS * samples(plan);
    for (uint32_t rank = 0; rank < plan->rankBlocks; rank++) {
      const size_t factor = blockOf(plan, block, rank);
      float *A = at(run, plan->A) + factor;
      inner(P, room.gradientZ + rank * rankBlock(plan), room.gradient, plan->tiles);
      adam(A, at(run, plan->meanA) + factor, at(run, plan->squareA) + factor, room.gradient, rate, correction);
      outer(P, A, Z + rank * rankBlock(plan), plan->tiles);
    }
  }
}
