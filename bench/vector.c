/*
 * The step of the teacher-student experiment as one program in C, the limit that our kernel is held against: the passes
 * of our native build on AVX2, AVX-512, or with -DBITS=128 on vectors as narrow as WebAssembly's; one sum a thread,
 * threads that wait for one another at each phase. Rank 4; widths and samples in multiples of 16.
 *
 *     vector FOLDER n N THREADS
 *
 * reads the files of runFiles.ts, then answers lines "steps rateA rateB" with "seconds loss".
 */
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "../src/train/wasm/native/passes.h"
#include "floats.h"

#define MOST_THREADS 16

static int n, N, tiles, threads;
static float *P, *H, *w, *y, *A, *B, *mA, *vA, *mB, *vB;
static uint16_t *mask; /* [row block][tile][row] */
static struct Own {
  float *f, *Z, *GZ;                   /* this thread's sums */
  float *residual, *allZ, *allGZ, *G; /* what it reads: everyone's sums, and a block of rows */
  double loss, squares;
} own[MOST_THREADS];
static atomic_int come, round_;

static void barrier(void) {
  if (threads == 1) return;
  const int now = atomic_load(&round_);
  if (atomic_fetch_add(&come, 1) == threads - 1) {
    atomic_store(&come, 0);
    atomic_fetch_add(&round_, 1);
    return;
  }
  for (int spin = 0; atomic_load(&round_) == now; spin++) {
    if (spin < 20000) _mm_pause();
    else sched_yield();
  }
}

static void sumOf(size_t offset, size_t count, float *to) {
  for (size_t at = 0; at < count; at += WIDE) {
    V sum = zero();
    for (int t = 0; t < threads; t++) sum = add(sum, load(*(float **)((char *)&own[t] + offset) + at));
    store(to + at, sum);
  }
}

static struct {
  int steps;
  double rateA, rateB;
} run;

static void *train(void *given) {
  const int me = (int)(intptr_t)given, blocks = n / ROWS;
  const int from = (int)((long)blocks * me / threads), to = (int)((long)blocks * (me + 1) / threads);
  struct Own *o = &own[me];
  const size_t line = (size_t)tiles * TILE, block = ROWS * line;
  float gradient[ROWS * RANKS], weighted[ROWS * RANKS];
  memset(o->Z, 0, sizeof(float) * RANKS * line);
  for (int i = from; i < to; i++) outer(P + i * block, A + i * ROWS * RANKS, o->Z, tiles);
  barrier();
  for (int step = 0;; step++) {
    sumOf(offsetof(struct Own, Z), RANKS * line, o->allZ);
    memset(o->f, 0, sizeof(float) * line);
    o->squares = 0;
    for (int i = from; i < to; i++)
      o->squares += forwardBlock(H + i * block, B + i * ROWS * RANKS, 0, o->allZ, 0, 1, w + i * ROWS, o->f,
                            mask + (size_t)i * tiles * ROWS, tiles);
    barrier();
    sumOf(offsetof(struct Own, f), line, o->residual);
    double loss = 0;
    for (int q = 0; q < N; q++) {
      const float difference = o->residual[q] - y[q];
      loss += (double)difference * difference;
      o->residual[q] = difference / N;
    }
    o->loss = loss / (2 * N);
    if (step == run.steps) return NULL;
    const float first = 1 / (1 - pow(0.9, step + 1)), second = 1 / (1 - pow(0.999, step + 1));
    memset(o->GZ, 0, sizeof(float) * RANKS * line);
    for (int i = from; i < to; i++) {
      const size_t at = (size_t)i * ROWS * RANKS;
      masked(o->residual, mask + (size_t)i * tiles * ROWS, o->G, tiles);
      inner(o->G, o->allZ, gradient, tiles);
      for (int e = 0; e < ROWS * RANKS; e++)
        gradient[e] *= w[i * ROWS + e / RANKS], weighted[e] = B[at + e] * w[i * ROWS + e / RANKS];
      outer(o->G, weighted, o->GZ, tiles);
      adam(B + at, mB + at, vB + at, gradient, run.rateB * first, second);
    }
    barrier();
    sumOf(offsetof(struct Own, GZ), RANKS * line, o->allGZ);
    memset(o->Z, 0, sizeof(float) * RANKS * line);
    for (int i = from; i < to; i++) {
      const size_t at = (size_t)i * ROWS * RANKS;
      inner(P + i * block, o->allGZ, gradient, tiles);
      adam(A + at, mA + at, vA + at, gradient, run.rateA * first, second);
      outer(P + i * block, A + at, o->Z, tiles);
    }
    barrier();
  }
}

static float *packed(float *rows) {
  float *to = floats((size_t)n * N);
  for (int i = 0; i < n; i++)
    for (int q = 0; q < N; q++)
      to[((size_t)(i / ROWS) * tiles + q / TILE) * ROWS * TILE + i % ROWS * TILE + q % TILE] = rows[(size_t)i * N + q];
  free(rows);
  return to;
}

int main(int argc, char **argv) {
  if (argc == 1) return __builtin_cpu_supports(NEEDS) && __builtin_cpu_supports("fma") ? 0 : 3;
  if (argc < 5) return 1;
  const char *folder = argv[1];
  n = atoi(argv[2]), N = atoi(argv[3]), threads = atoi(argv[4]), tiles = N / TILE;
  if (n % ROWS || N % TILE || threads > MOST_THREADS) return 2;
  const size_t factor = (size_t)n * RANKS, line = N, bytes = sizeof(float) * factor;
  P = packed(file(folder, "P", (size_t)n * N)), H = packed(file(folder, "H", (size_t)n * N));
  w = file(folder, "wOut", n), y = file(folder, "y", N);
  const float *startA = file(folder, "A transposed", factor), *startB = file(folder, "B", factor);
  A = floats(factor), B = floats(factor), mA = floats(factor), vA = floats(factor), mB = floats(factor), vB = floats(factor);
  mask = malloc(sizeof(uint16_t) * (size_t)n * tiles);
  for (int t = 0; t < threads; t++) {
    struct Own *o = &own[t];
    o->f = floats(line), o->residual = floats(line), o->G = floats(ROWS * line);
    o->Z = floats(RANKS * line), o->GZ = floats(RANKS * line), o->allZ = floats(RANKS * line), o->allGZ = floats(RANKS * line);
  }
  puts("ready"), fflush(stdout);
  while (scanf("%d %lf %lf", &run.steps, &run.rateA, &run.rateB) == 3) {
    struct timespec from, to;
    memcpy(A, startA, bytes), memcpy(B, startB, bytes);
    memset(mA, 0, bytes), memset(vA, 0, bytes), memset(mB, 0, bytes), memset(vB, 0, bytes);
    clock_gettime(CLOCK_MONOTONIC, &from);
    pthread_t others[MOST_THREADS];
    for (int t = 1; t < threads; t++) pthread_create(&others[t], NULL, train, (void *)(intptr_t)t);
    train((void *)0);
    for (int t = 1; t < threads; t++) pthread_join(others[t], NULL);
    clock_gettime(CLOCK_MONOTONIC, &to);
    printf("%.9g %.9g\n", to.tv_sec - from.tv_sec + 1e-9 * (to.tv_nsec - from.tv_nsec), own[0].loss), fflush(stdout);
  }
}
