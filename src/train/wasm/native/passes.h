/*
 * The passes of a step of the teacher-student experiment over one block of rows, on vectors of 128 bits (-DBITS=128),
 * AVX2 or AVX-512, by what the compiler is told. The layout of assembly/vector.ts: [row block][tile of 16 samples][row]
 * [sample].
 */
#pragma once
#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#define RANKS 4 /* rank indices that lie together */
#define ROWS 16
#define TILE 16
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

/*
 * Z_B = B Z_A, the mask and f += w ReLU(H + Z_B) over a block of rows; the sum of Z_B squared. From one block of rank
 * indices to the next it is strideB numbers of B and strideZ of Z_A.
 */
static inline double forwardBlock(const float *h, const float *B, size_t strideB, const float *Z, size_t strideZ,
                                  int rankBlocks, const float *weight, float *f, uint16_t *mask, int tiles) {
  double squares = 0;
  for (int tile = 0; tile < tiles; tile++, h += ROWS * TILE, Z += RANKS * TILE, f += TILE, mask += ROWS)
    for (int at = 0; at < TILE; at += PAIR * WIDE) {
      V sum[2] = {zero(), zero()};
      V out[PAIR];
      UNROLLED for (int p = 0; p < PAIR; p++) out[p] = load(f + at + p * WIDE);
      for (int row = 0; row < ROWS; row += AT_ONCE) {
        V s[AT_ONCE][PAIR];
        UNROLLED for (int i = 0; i < AT_ONCE; i++) UNROLLED for (int p = 0; p < PAIR; p++) s[i][p] = zero();
        const float *b = B + row * RANKS, *from = Z + at;
        for (int block = 0; block < rankBlocks; block++, b += strideB, from += strideZ)
          UNROLLED for (int k = 0; k < RANKS; k++) {
            V z[PAIR];
            UNROLLED for (int p = 0; p < PAIR; p++) z[p] = load(from + k * TILE + p * WIDE);
            UNROLLED for (int i = 0; i < AT_ONCE; i++) {
              const V factor = splat(b[i * RANKS + k]);
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
static inline void masked(const float *residual, const uint16_t *mask, float *G, int tiles) {
  for (int tile = 0; tile < tiles; tile++, residual += TILE) {
    V r[PARTS];
    UNROLLED for (int p = 0; p < PARTS; p++) r[p] = load(residual + p * WIDE);
    for (int row = 0; row < ROWS; row++, G += TILE, mask++)
      UNROLLED for (int p = 0; p < PARTS; p++)
        store(G + p * WIDE, kept(maskOf((*mask >> (p * WIDE)) & ((1u << WIDE) - 1)), r[p]));
  }
}

/* result[row] = sum over samples of X[row, q] M[., q]. */
static inline void inner(const float *X, const float *M, float *result, int tiles) {
  for (int row = 0; row < ROWS; row += DOTS) {
    V s[DOTS][RANKS];
    UNROLLED for (int i = 0; i < DOTS; i++) UNROLLED for (int k = 0; k < RANKS; k++) s[i][k] = zero();
    const float *x = X + row * TILE, *m = M;
    for (int tile = 0; tile < tiles; tile++, x += ROWS * TILE, m += RANKS * TILE)
      UNROLLED for (int p = 0; p < PARTS; p++) {
        V z[RANKS];
        UNROLLED for (int k = 0; k < RANKS; k++) z[k] = load(m + k * TILE + p * WIDE);
        UNROLLED for (int i = 0; i < DOTS; i++) {
          const V v = load(x + i * TILE + p * WIDE);
          UNROLLED for (int k = 0; k < RANKS; k++) s[i][k] = fma(v, z[k], s[i][k]);
        }
      }
    UNROLLED for (int i = 0; i < DOTS; i++) UNROLLED for (int k = 0; k < RANKS; k++)
      result[(row + i) * RANKS + k] = total(s[i][k]);
  }
}

/* M[., q] += sum over rows of F[row] X[row, q], for two vectors of samples. */
static inline void outerPair(const float *X, const float *F, float *M, size_t nextX, size_t nextM) {
  V s[RANKS][2];
  UNROLLED for (int k = 0; k < RANKS; k++) s[k][0] = load(M + k * TILE), s[k][1] = load(M + k * TILE + nextM);
  UNROLLED for (int row = 0; row < ROWS; row++) {
    const V u = load(X + row * TILE), v = load(X + row * TILE + nextX);
    UNROLLED for (int k = 0; k < RANKS; k++) {
      const V factor = splat(F[row * RANKS + k]);
      s[k][0] = fma(factor, u, s[k][0]), s[k][1] = fma(factor, v, s[k][1]);
    }
  }
  UNROLLED for (int k = 0; k < RANKS; k++) store(M + k * TILE + nextM, s[k][1]), store(M + k * TILE, s[k][0]);
}

/* The same for all samples: pairs lie in one tile, or in two where a vector fills one. */
static inline void outer(const float *X, const float *F, float *M, int tiles) {
  if (PARTS > 1)
    for (int tile = 0; tile < tiles; tile++, X += ROWS * TILE, M += RANKS * TILE)
      for (int at = 0; at < TILE; at += 2 * WIDE) outerPair(X + at, F, M + at, WIDE, WIDE);
  else
    /* A last tile alone is its own partner: both are stored as one. */
    for (int tile = 0; tile < tiles; tile += 2, X += 2 * ROWS * TILE, M += 2 * RANKS * TILE)
      outerPair(X, F, M, tile + 1 < tiles ? ROWS * TILE : 0, tile + 1 < tiles ? RANKS * TILE : 0);
}

/* Adam on a block of rows in place; the rate over 1 - 0.9^t, and 1 / (1 - 0.999^t). */
static inline void adam(float *x, float *m, float *v, const float *g, float rate, float second) {
  for (int at = 0; at < ROWS * RANKS; at += WIDE) {
    const V gradient = load(g + at);
    const V mean = fma(splat(0.9f), load(m + at), mul(splat(0.1f), gradient));
    const V square = fma(splat(0.999f), load(v + at), mul(splat(0.001f), mul(gradient, gradient)));
    store(m + at, mean), store(v + at, square);
    const V below = add(root(mul(splat(second), square)), splat(1e-8f));
    store(x + at, sub(load(x + at), quotient(mul(splat(rate), mean), below)));
  }
}
