/* The phases of a step as assembly/index.ts has them, on the same memory; a group is a run of row blocks. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* Sizes of a run and addresses in the memory, as layout.ts writes them. */
typedef struct {
  uint32_t samples, tiles, rowBlocks, rankBlocks, groups;
  uint32_t P, H, mask, w, y, f0;
  uint32_t A, meanA, squareA, B, meanB, squareB;
  uint32_t partF, partZ, partGradientZ, partSquares; /* per group */
  uint32_t own, ownBytes;                            /* per thread */
} Plan;

/* A run's memory and the plan in it. */
typedef struct {
  uint8_t *memory;
  const Plan *plan;
} Run;

void startZ(Run run, uint32_t group);
/* The thread's Z_A from the groups'; the sum of its squares. */
double sumZ(Run run, uint32_t thread);
void forward(Run run, uint32_t thread, uint32_t group);
/* The thread's residual (f - y)/N; sums of (f - y)^2, (f - f0)^2 and Z_B^2 go to the address `sizes`. */
void residual(Run run, uint32_t thread, uint32_t sizes, bool isFirst);
void keepF0(Run run, uint32_t thread);
void backward(Run run, uint32_t thread, uint32_t group, double rate, double correction);
double sumGradientZ(Run run, uint32_t thread);
void update(Run run, uint32_t thread, uint32_t group, double rate, double correction);
