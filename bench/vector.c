/*
 * The step of the teacher-student experiment by hand, with AVX2 or AVX-512 intrinsics: the limit that our kernel is held
 * against; with -DBITS=128 on vectors as narrow as WebAssembly's. The same passes and layout as ours ([row block][tile of 16 samples][row][sample]), wider vectors, one sum a thread.
 * Rank 4; widths and samples in multiples of 16.
 *
 *     vector FOLDER n N THREADS     reads the files of runFiles.ts, then answers lines "steps rateA rateB" with "seconds loss"
 */
#include <immintrin.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "floats.h"

#define R 4
#define ROWS 16
#define TILE 16
#define MOST_THREADS 16
#define UNROLLED _Pragma("GCC unroll 16")

#ifdef __AVX512F__
typedef __m512 V;
typedef __mmask16 Mask;
#define NEEDS "avx512f"
#define WIDE 16
#define AT_ONCE 8 /* rows of the forward pass in registers */
#define DOTS 4    /* rows of a sum over samples in registers */
#define load _mm512_loadu_ps
#define store _mm512_storeu_ps
#define splat _mm512_set1_ps
#define fma _mm512_fmadd_ps
#define add _mm512_add_ps
#define mul _mm512_mul_ps
#define sub _mm512_sub_ps
#define quotient _mm512_div_ps
#define root _mm512_sqrt_ps
#define zero _mm512_setzero_ps
#define total _mm512_reduce_add_ps
static inline Mask positive(V x) { return _mm512_cmp_ps_mask(x, zero(), _CMP_GT_OQ); }
static inline V kept(Mask mask, V x) { return _mm512_maskz_mov_ps(mask, x); }
static inline unsigned bits(Mask mask) { return mask; }
static inline Mask maskOf(unsigned bits) { return bits; }
#elif BITS == 128
typedef __m128 V;
typedef __m128 Mask;
#define NEEDS "avx"
#define WIDE 4
#define AT_ONCE 4
#define DOTS 2
#define load _mm_loadu_ps
#define store _mm_storeu_ps
#define splat _mm_set1_ps
#define fma _mm_fmadd_ps
#define add _mm_add_ps
#define mul _mm_mul_ps
#define sub _mm_sub_ps
#define quotient _mm_div_ps
#define root _mm_sqrt_ps
#define zero _mm_setzero_ps
static inline Mask positive(V x) { return _mm_cmpgt_ps(x, zero()); }
static inline V kept(Mask mask, V x) { return _mm_and_ps(mask, x); }
static inline unsigned bits(Mask mask) { return _mm_movemask_ps(mask); }
static inline Mask maskOf(unsigned bits) {
  const __m128i each = _mm_setr_epi32(1, 2, 4, 8);
  return _mm_castsi128_ps(_mm_cmpeq_epi32(_mm_and_si128(_mm_set1_epi32(bits), each), each));
}
static inline float total(V x) {
  const V sum = _mm_add_ps(x, _mm_movehl_ps(x, x));
  return _mm_cvtss_f32(_mm_add_ss(sum, _mm_movehdup_ps(sum)));
}
#else
typedef __m256 V;
typedef __m256 Mask;
#define NEEDS "avx2"
#define WIDE 8
#define AT_ONCE 4
#define DOTS 2
#define load _mm256_loadu_ps
#define store _mm256_storeu_ps
#define splat _mm256_set1_ps
#define fma _mm256_fmadd_ps
#define add _mm256_add_ps
#define mul _mm256_mul_ps
#define sub _mm256_sub_ps
#define quotient _mm256_div_ps
#define root _mm256_sqrt_ps
#define zero _mm256_setzero_ps
static inline Mask positive(V x) { return _mm256_cmp_ps(x, zero(), _CMP_GT_OQ); }
static inline V kept(Mask mask, V x) { return _mm256_and_ps(mask, x); }
static inline unsigned bits(Mask mask) { return _mm256_movemask_ps(mask); }
static inline Mask maskOf(unsigned bits) {
  const __m256i each = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
  return _mm256_castsi256_ps(_mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32(bits), each), each));
}
static inline float total(V x) {
  __m128 sum = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
  return _mm_cvtss_f32(_mm_add_ss(sum, _mm_movehdup_ps(sum)));
}
#endif
/* Vectors in a tile's line of one row. */
#define PARTS (TILE / WIDE)
/* Those that the forward pass works on at once. */
#define PAIR (PARTS > 2 ? 2 : PARTS)

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

/* Z_B = B Z_A, the mask and f += w ReLU(H + Z_B) over a block of rows; the sum of Z_B squared. */
static double forward(const float *h, const float *b, const float *Z, const float *weight, float *f, uint16_t *mask) {
  double squares = 0;
  for (int tile = 0; tile < tiles; tile++, h += ROWS * TILE, Z += R * TILE, f += TILE, mask += ROWS)
    for (int at = 0; at < TILE; at += PAIR * WIDE) {
      V sum[2] = {zero(), zero()};
      V out[PAIR];
      UNROLLED for (int p = 0; p < PAIR; p++) out[p] = load(f + at + p * WIDE);
      for (int row = 0; row < ROWS; row += AT_ONCE) {
        V s[AT_ONCE][PAIR];
        UNROLLED for (int i = 0; i < AT_ONCE; i++) UNROLLED for (int p = 0; p < PAIR; p++) s[i][p] = zero();
        UNROLLED for (int k = 0; k < R; k++) {
          V z[PAIR];
          UNROLLED for (int p = 0; p < PAIR; p++) z[p] = load(Z + k * TILE + at + p * WIDE);
          UNROLLED for (int i = 0; i < AT_ONCE; i++) {
            const V factor = splat(b[(row + i) * R + k]);
            UNROLLED for (int p = 0; p < PAIR; p++) s[i][p] = fma(factor, z[p], s[i][p]);
          }
        }
        UNROLLED for (int i = 0; i < AT_ONCE; i++) {
          const V factor = splat(weight[row + i]);
          unsigned all = 0;
          UNROLLED for (int p = 0; p < PAIR; p++) {
            sum[i % 2] = fma(s[i][p], s[i][p], sum[i % 2]);
            s[i][p] = add(s[i][p], load(h + (row + i) * TILE + at + p * WIDE));
            const Mask above = positive(s[i][p]);
            all |= bits(above) << (at + p * WIDE);
            out[p] = fma(factor, kept(above, s[i][p]), out[p]);
          }
          mask[row + i] = at == 0 ? all : mask[row + i] | all;
        }
      }
      UNROLLED for (int p = 0; p < PAIR; p++) store(f + at + p * WIDE, out[p]);
      squares += total(add(sum[0], sum[1]));
    }
  return squares;
}

/* G[row, q] = residual[q] where the mask is set. */
static void masked(const float *residual, const uint16_t *mask, float *G) {
  for (int tile = 0; tile < tiles; tile++, residual += TILE) {
    V r[PARTS];
    UNROLLED for (int p = 0; p < PARTS; p++) r[p] = load(residual + p * WIDE);
    for (int row = 0; row < ROWS; row++, G += TILE, mask++)
      UNROLLED for (int p = 0; p < PARTS; p++)
        store(G + p * WIDE, kept(maskOf((*mask >> (p * WIDE)) & ((1u << WIDE) - 1)), r[p]));
  }
}

/* result[row] = sum over samples of X[row, q] M[., q]. */
static void inner(const float *X, const float *M, float *result) {
  for (int row = 0; row < ROWS; row += DOTS) {
    V s[DOTS][R];
    UNROLLED for (int i = 0; i < DOTS; i++) UNROLLED for (int k = 0; k < R; k++) s[i][k] = zero();
    const float *x = X + row * TILE, *m = M;
    for (int tile = 0; tile < tiles; tile++, x += ROWS * TILE, m += R * TILE)
      UNROLLED for (int p = 0; p < PARTS; p++) {
        V z[R];
        UNROLLED for (int k = 0; k < R; k++) z[k] = load(m + k * TILE + p * WIDE);
        UNROLLED for (int i = 0; i < DOTS; i++) {
          const V v = load(x + i * TILE + p * WIDE);
          UNROLLED for (int k = 0; k < R; k++) s[i][k] = fma(v, z[k], s[i][k]);
        }
      }
    UNROLLED for (int i = 0; i < DOTS; i++) UNROLLED for (int k = 0; k < R; k++)
      result[(row + i) * R + k] = total(s[i][k]);
  }
}

/* M[., q] += sum over rows of F[row] X[row, q], for two vectors of samples. */
static void outerPair(const float *X, const float *F, float *M, size_t nextX, size_t nextM) {
  V s[R][2];
  UNROLLED for (int k = 0; k < R; k++) s[k][0] = load(M + k * TILE), s[k][1] = load(M + k * TILE + nextM);
  UNROLLED for (int row = 0; row < ROWS; row++) {
    const V u = load(X + row * TILE), v = load(X + row * TILE + nextX);
    UNROLLED for (int k = 0; k < R; k++) {
      const V factor = splat(F[row * R + k]);
      s[k][0] = fma(factor, u, s[k][0]), s[k][1] = fma(factor, v, s[k][1]);
    }
  }
  UNROLLED for (int k = 0; k < R; k++) store(M + k * TILE + nextM, s[k][1]), store(M + k * TILE, s[k][0]);
}

/* The same for all samples: pairs lie in one tile, or in two where a vector fills one. */
static void outer(const float *X, const float *F, float *M) {
  if (PARTS > 1)
    for (int tile = 0; tile < tiles; tile++, X += ROWS * TILE, M += R * TILE)
      for (int at = 0; at < TILE; at += 2 * WIDE) outerPair(X + at, F, M + at, WIDE, WIDE);
  else
    /* A last tile alone is its own partner: both are stored as one. */
    for (int tile = 0; tile < tiles; tile += 2, X += 2 * ROWS * TILE, M += 2 * R * TILE)
      outerPair(X, F, M, tile + 1 < tiles ? ROWS * TILE : 0, tile + 1 < tiles ? R * TILE : 0);
}

static void adam(float *x, float *m, float *v, const float *g, float rate, float second) {
  for (int at = 0; at < ROWS * R; at += WIDE) {
    const V gradient = load(g + at);
    const V mean = fma(splat(0.9f), load(m + at), mul(splat(0.1f), gradient));
    const V square = fma(splat(0.999f), load(v + at), mul(splat(0.001f), mul(gradient, gradient)));
    store(m + at, mean), store(v + at, square);
    const V below = add(root(mul(splat(second), square)), splat(1e-8f));
    store(x + at, sub(load(x + at), quotient(mul(splat(rate), mean), below)));
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
  float gradient[ROWS * R], weighted[ROWS * R];
  memset(o->Z, 0, sizeof(float) * R * line);
  for (int i = from; i < to; i++) outer(P + i * block, A + i * ROWS * R, o->Z);
  barrier();
  for (int step = 0;; step++) {
    sumOf(offsetof(struct Own, Z), R * line, o->allZ);
    memset(o->f, 0, sizeof(float) * line);
    o->squares = 0;
    for (int i = from; i < to; i++)
      o->squares += forward(H + i * block, B + i * ROWS * R, o->allZ, w + i * ROWS, o->f, mask + (size_t)i * tiles * ROWS);
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
    memset(o->GZ, 0, sizeof(float) * R * line);
    for (int i = from; i < to; i++) {
      const size_t at = (size_t)i * ROWS * R;
      masked(o->residual, mask + (size_t)i * tiles * ROWS, o->G);
      inner(o->G, o->allZ, gradient);
      for (int e = 0; e < ROWS * R; e++)
        gradient[e] *= w[i * ROWS + e / R], weighted[e] = B[at + e] * w[i * ROWS + e / R];
      outer(o->G, weighted, o->GZ);
      adam(B + at, mB + at, vB + at, gradient, run.rateB * first, second);
    }
    barrier();
    sumOf(offsetof(struct Own, GZ), R * line, o->allGZ);
    memset(o->Z, 0, sizeof(float) * R * line);
    for (int i = from; i < to; i++) {
      const size_t at = (size_t)i * ROWS * R;
      inner(P + i * block, o->allGZ, gradient);
      adam(A + at, mA + at, vA + at, gradient, run.rateA * first, second);
      outer(P + i * block, A + at, o->Z);
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
  const size_t factor = (size_t)n * R, line = N, bytes = sizeof(float) * factor;
  P = packed(file(folder, "P", (size_t)n * N)), H = packed(file(folder, "H", (size_t)n * N));
  w = file(folder, "wOut", n), y = file(folder, "y", N);
  const float *startA = file(folder, "A transposed", factor), *startB = file(folder, "B", factor);
  A = floats(factor), B = floats(factor), mA = floats(factor), vA = floats(factor), mB = floats(factor), vB = floats(factor);
  mask = malloc(sizeof(uint16_t) * (size_t)n * tiles);
  for (int t = 0; t < threads; t++) {
    struct Own *o = &own[t];
    o->f = floats(line), o->residual = floats(line), o->G = floats(ROWS * line);
    o->Z = floats(R * line), o->GZ = floats(R * line), o->allZ = floats(R * line), o->allGZ = floats(R * line);
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
