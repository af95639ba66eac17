/*
 * The phases as functions of JavaScript: (memory as Uint8Array, address of the plan, ...numbers). This file runs on any
 * x86-64, and refuses to be loaded by a processor that lacks the instructions in NEEDS.
 */
#include <node_api.h>
#include <stddef.h>
#include "phases.h"

#define MOST 6

/* The arguments of a call: the run, then up to four numbers. */
static bool argumentsOf(napi_env env, napi_callback_info info, Run *run, double *numbers) {
  napi_value given[MOST];
  size_t count = MOST, length;
  void *data;
  double plan;
  if (napi_get_cb_info(env, info, &count, given, NULL, NULL) != napi_ok || count < 2) return false;
  if (napi_get_typedarray_info(env, given[0], NULL, &length, &data, NULL, NULL) != napi_ok) return false;
  if (napi_get_value_double(env, given[1], &plan) != napi_ok || plan < 0 || plan + sizeof(Plan) > length) return false;
  for (size_t i = 2; i < count && i < MOST; i++)
    if (napi_get_value_double(env, given[i], &numbers[i - 2]) != napi_ok) return false;
  run->memory = data;
  run->plan = (const Plan *)(run->memory + (uint32_t)plan);
  return true;
}

/* A function of JavaScript that calls the phase, and gives its number back where it has one. */
#define PHASE(name, call)                                              \
  static napi_value name##Call(napi_env env, napi_callback_info info) { \
    Run run;                                                           \
    double x[MOST] = {0}, result = 0;                                  \
    napi_value value;                                                  \
    if (!argumentsOf(env, info, &run, x)) {                            \
      napi_throw_type_error(env, NULL, #name ": memory, plan, numbers"); \
      return NULL;                                                     \
    }                                                                  \
    call;                                                              \
    return napi_create_double(env, result, &value) == napi_ok ? value : NULL; \
  }

PHASE(startZ, startZ(run, x[0]))
PHASE(sumZ, result = sumZ(run, x[0]))
PHASE(forward, forward(run, x[0], x[1]))
PHASE(residual, residual(run, x[0], x[1], x[2] != 0))
PHASE(keepF0, keepF0(run, x[0]))
PHASE(backward, backward(run, x[0], x[1], x[2], x[3]))
PHASE(sumGradientZ, result = sumGradientZ(run, x[0]))
PHASE(update, update(run, x[0], x[1], x[2], x[3]))

NAPI_MODULE_INIT() {
  if (!__builtin_cpu_supports(NEEDS) || !__builtin_cpu_supports("fma")) {
    napi_throw_error(env, NULL, "this processor lacks " NEEDS);
    return NULL;
  }
  const napi_property_descriptor functions[] = {
#define FUNCTION(name) {#name, NULL, name##Call, NULL, NULL, NULL, napi_enumerable, NULL}
      FUNCTION(startZ), FUNCTION(sumZ),     FUNCTION(forward),      FUNCTION(residual),
      FUNCTION(keepF0), FUNCTION(backward), FUNCTION(sumGradientZ), FUNCTION(update),
  };
  napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions);
  return exports;
}
