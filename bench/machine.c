/*
 * What one core can do: loops of fused multiply-adds on twelve vectors of 128, 256 and 512 bits, and the sum of an array far
 * beyond the caches.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + 1e-9 * t.tv_nsec;
}

static volatile float sink;

/* Floating-point operations a second on vectors of so many bits. */
#define PEAK(bits)                                                                   \
  static double peak##bits(void) {                                                   \
    typedef float vector __attribute__((vector_size(bits / 8)));                     \
    double best = 0;                                                                 \
    for (int repeat = 0; repeat < 7; repeat++) {                                     \
      vector sum[12], x = (vector){0} + 0.999f, y = (vector){0} + 1e-3f;             \
      for (int k = 0; k < 12; k++) sum[k] = (vector){0} + (float)k;                  \
      const long count = 5000000;                                                    \
      const double from = now();                                                     \
      for (long i = 0; i < count; i++)                                               \
        for (int k = 0; k < 12; k++) sum[k] = sum[k] * x + y;                        \
      const double rate = count * 12.0 * (bits / 32) * 2 / (now() - from);           \
      if (rate > best) best = rate;                                                  \
      for (int k = 1; k < 12; k++) sum[0] += sum[k];                                 \
      sink = sum[0][0];                                                              \
    }                                                                                \
    return best;                                                                     \
  }
PEAK(128)
PEAK(256)
PEAK(512)

typedef float vector __attribute__((vector_size(32)));

int main(void) {
  double bytes = 0;
  const size_t size = (size_t)256 << 20;
  vector *array = aligned_alloc(64, size);
  for (size_t i = 0; i < size / sizeof(vector); i++) array[i] = (vector){0} + 1;
  for (int repeat = 0; repeat < 5; repeat++) {
    vector sum[8] = {0};
    double from = now();
    for (size_t i = 0; i < size / sizeof(vector); i += 8)
      for (int k = 0; k < 8; k++) sum[k] += array[i + k];
    double rate = size / (now() - from);
    if (rate > bytes) bytes = rate;
    for (int k = 1; k < 8; k++) sum[0] += sum[k];
    sink = sum[0][0];
  }
  printf("%.6g %.6g %.6g %.6g\n", peak128(), peak256(), peak512(), bytes);
}
