/*
 * The step of the teacher-student experiment as plain loops over float arrays: what one writes in an afternoon, and lets
 * the compiler vectorise. Each activation is read once a step; rank 4; the ReLU mask is kept.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "floats.h"

#define R 4

typedef struct {
  int n, N;
  const float *P, *H, *w, *y;
  float *A, *B; /* A transposed: both n x R */
  float *mA, *vA, *mB, *vB, *Z, *G, *f, *f0, *row;
  unsigned char *mask;
} State;

State *create(int n, int N, const float *P, const float *H, const float *w, const float *y) {
  State *s = malloc(sizeof(State));
  s->n = n, s->N = N, s->P = P, s->H = H, s->w = w, s->y = y;
  s->A = floats(n * R), s->B = floats(n * R);
  s->mA = floats(n * R), s->vA = floats(n * R), s->mB = floats(n * R), s->vB = floats(n * R);
  s->Z = floats(N * R), s->G = floats(N * R), s->f = floats(N), s->f0 = floats(N), s->row = floats(N);
  s->mask = malloc((size_t)n * N);
  return s;
}

void start(State *s, const float *A, const float *B) {
  size_t bytes = sizeof(float) * s->n * R;
  memcpy(s->A, A, bytes), memcpy(s->B, B, bytes);
  memset(s->mA, 0, bytes), memset(s->vA, 0, bytes), memset(s->mB, 0, bytes), memset(s->vB, 0, bytes);
}

static void adam(float *x, float *m, float *v, const float *g, float rate, float second) {
  for (int k = 0; k < R; k++) {
    m[k] = 0.9f * m[k] + 0.1f * g[k];
    v[k] = 0.999f * v[k] + 0.001f * g[k] * g[k];
    x[k] -= rate * m[k] / (sqrtf(second * v[k]) + 1e-8f);
  }
}

/* Runs the given number of steps and returns the loss after the last; sizes of Z_A, Z_B and the output's change too. */
double train(State *s, int steps, double rateA, double rateB, double *sizes) {
  const int n = s->n, N = s->N;
  float *restrict Z = s->Z, *restrict G = s->G, *restrict f = s->f, *restrict row = s->row;
  memset(Z, 0, sizeof(float) * N * R);
  for (int i = 0; i < n; i++) {
    const float *restrict p = s->P + (size_t)i * N, *a = s->A + i * R;
    const float a0 = a[0], a1 = a[1], a2 = a[2], a3 = a[3];
#pragma GCC ivdep
    for (int q = 0; q < N; q++)
      Z[q] += a0 * p[q], Z[N + q] += a1 * p[q], Z[2 * N + q] += a2 * p[q], Z[3 * N + q] += a3 * p[q];
  }
  for (int t = 0;; t++) {
    double zA = 0, zB = 0, loss = 0, change = 0;
    memset(f, 0, sizeof(float) * N);
    for (int j = 0; j < n; j++) {
      const float *restrict h = s->H + (size_t)j * N, *b = s->B + j * R;
      unsigned char *restrict mask = s->mask + (size_t)j * N;
      const float b0 = b[0], b1 = b[1], b2 = b[2], b3 = b[3], w = s->w[j];
      float squares = 0;
#pragma GCC ivdep
      for (int q = 0; q < N; q++) {
        const float z = b0 * Z[q] + b1 * Z[N + q] + b2 * Z[2 * N + q] + b3 * Z[3 * N + q];
        const float x = h[q] + z;
        squares += z * z;
        mask[q] = x > 0;
        f[q] += x > 0 ? w * x : 0;
      }
      zB += squares;
    }
    for (int q = 0; q < N; q++) {
      const float residual = f[q] - s->y[q];
      if (t == 0) s->f0[q] = f[q];
      change += (double)(f[q] - s->f0[q]) * (f[q] - s->f0[q]);
      loss += (double)residual * residual;
      f[q] = residual / N;
    }
    for (int q = 0; q < N * R; q++) zA += (double)Z[q] * Z[q];
    loss /= 2 * N;
    sizes[0] = sqrt(zA / (R * N)), sizes[1] = sqrt(zB / ((double)n * N)), sizes[2] = sqrt(change / N);
    if (t == steps) return loss;
    const float first = 1 / (1 - pow(0.9, t + 1)), second = 1 / (1 - pow(0.999, t + 1));
    memset(G, 0, sizeof(float) * N * R);
    for (int j = 0; j < n; j++) {
      const unsigned char *restrict mask = s->mask + (size_t)j * N;
      float *b = s->B + j * R;
      const float w = s->w[j], b0 = b[0], b1 = b[1], b2 = b[2], b3 = b[3];
      float g0 = 0, g1 = 0, g2 = 0, g3 = 0;
#pragma GCC ivdep
      for (int q = 0; q < N; q++) {
        const float g = mask[q] ? w * f[q] : 0;
        g0 += g * Z[q], g1 += g * Z[N + q], g2 += g * Z[2 * N + q], g3 += g * Z[3 * N + q];
        G[q] += b0 * g, G[N + q] += b1 * g, G[2 * N + q] += b2 * g, G[3 * N + q] += b3 * g;
      }
      const float g[R] = {g0, g1, g2, g3};
      adam(b, s->mB + j * R, s->vB + j * R, g, rateB * first, second);
    }
    memset(Z, 0, sizeof(float) * N * R);
    for (int i = 0; i < n; i++) {
      const float *restrict p = s->P + (size_t)i * N;
      float *a = s->A + i * R;
      float g0 = 0, g1 = 0, g2 = 0, g3 = 0;
#pragma GCC ivdep
      for (int q = 0; q < N; q++)
        g0 += p[q] * G[q], g1 += p[q] * G[N + q], g2 += p[q] * G[2 * N + q], g3 += p[q] * G[3 * N + q];
      const float g[R] = {g0, g1, g2, g3};
      adam(a, s->mA + i * R, s->vA + i * R, g, rateA * first, second);
      const float a0 = a[0], a1 = a[1], a2 = a[2], a3 = a[3];
#pragma GCC ivdep
      for (int q = 0; q < N; q++)
        Z[q] += a0 * p[q], Z[N + q] += a1 * p[q], Z[2 * N + q] += a2 * p[q], Z[3 * N + q] += a3 * p[q];
    }
  }
}

/* Reads P, H, w, y, A transposed and B from a folder; then, for each line "steps rateA rateB", trains anew and answers. */
#include <stdio.h>
#include <time.h>

int main(int argc, char **argv) {
  if (argc < 4) return 1;
  const char *folder = argv[1];
  const int n = atoi(argv[2]), N = atoi(argv[3]);
  const size_t size = (size_t)n * N;
  State *s = create(n, N, file(folder, "P", size), file(folder, "H", size), file(folder, "wOut", n), file(folder, "y", N));
  const float *A = file(folder, "A transposed", n * R), *B = file(folder, "B", n * R);
  int steps;
  double rateA, rateB, sizes[3];
  puts("ready"), fflush(stdout);
  while (scanf("%d %lf %lf", &steps, &rateA, &rateB) == 3) {
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    start(s, A, B);
    const double loss = train(s, steps, rateA, rateB, sizes);
    clock_gettime(CLOCK_MONOTONIC, &to);
    printf("%.9g %.9g\n", to.tv_sec - from.tv_sec + 1e-9 * (to.tv_nsec - from.tv_nsec), loss), fflush(stdout);
  }
}
