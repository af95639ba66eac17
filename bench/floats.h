/* What the programs in C beside this file share: arrays of floats, zero or read from a file. */
#pragma once
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static float *floats(size_t count) {
  float *p = aligned_alloc(64, (count * sizeof(float) + 63) / 64 * 64);
  memset(p, 0, count * sizeof(float));
  return p;
}

static float *file(const char *folder, const char *name, size_t count) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  float *p = floats(count);
  FILE *f = fopen(path, "rb");
  if (!f || fread(p, sizeof(float), count, f) != count) exit(1);
  fclose(f);
  return p;
}
