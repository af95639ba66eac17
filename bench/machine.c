/* What one core can do: a loop of fused multiply-adds on twelve vectors, and the sum of an array far beyond the caches. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef float vector __attribute__((vector_size(32)));

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + 1e-9 * t.tv_nsec;
}

int main(void) {
  double flops = 0, bytes = 0;
  volatile float sink;
  for (int repeat = 0; repeat < 7; repeat++) {
    vector sum[12], x, y;
    for (int k = 0; k < 12; k++) sum[k] = (vector){0} + (float)k;
    x = (vector){0} + 0.999f, y = (vector){0} + 1e-3f;
    const long count = 10000000;
    double from = now();
    for (long i = 0; i < count; i++)
      for (int k = 0; k < 12; k++) sum[k] = sum[k] * x + y;
    double rate = count * 12 * 8 * 2 / (now() - from);
    if (rate > flops) flops = rate;
    for (int k = 1; k < 12; k++) sum[0] += sum[k];
    sink = sum[0][0];
  }
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
  (void)sink;
  printf("%.6g %.6g\n", flops, bytes);
}
