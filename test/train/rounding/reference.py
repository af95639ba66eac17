"""Writes the reference lists of precision.test.ts: roundings by numpy and ml_dtypes, which share no code with this project.

    pip install numpy ml_dtypes && python test/train/rounding/reference.py

Per format the inputs are, for every code c from 0 up while it is finite and for both signs: its value v, the midpoint m
of v and the next value, and m's neighbours in float32 (in float64 for float16); then special values. Only the outputs are
written, as codes less c (with its sign), gzipped; the test makes the inputs anew from the values of the codes.

ml_dtypes rounds a float64 by way of float32, so its inputs are float32; that float64 is rounded once is tested on float16,
where numpy does so too.
"""

import gzip
from pathlib import Path

import ml_dtypes
import numpy as np

FORMATS = {
    "float16": (np.float16, np.uint16, 0x7C00, np.float64),
    "bfloat16": (ml_dtypes.bfloat16, np.uint16, 0x7F80, np.float32),
    "e4m3": (ml_dtypes.float8_e4m3fn, np.uint8, 0x7F, np.float32),
}

for name, (kind, code, end, given) in FORMATS.items():
    finite = np.arange(end, dtype=code).view(kind).astype(np.float64)
    step = finite[-1] - finite[-2]
    above = np.append(finite[1:], finite[-1] + step)
    middle = (finite + above) / 2
    # The midpoint beyond the largest bfloat16 is a float32 still; the next value is not.
    exact = middle.astype(given)
    assert (exact.astype(np.float64) == middle).all()
    infinity = given(np.inf)
    columns = [finite.astype(given), exact, np.nextafter(exact, -infinity), np.nextafter(exact, infinity)]
    positive = np.stack(columns, axis=1).ravel()
    inputs = np.concatenate([positive, -positive, np.array([np.inf, -np.inf, np.nan], dtype=given)])
    with np.errstate(over="ignore"):
        outputs = inputs.astype(kind).view(code)
    codes = np.repeat(np.arange(end, dtype=code), len(columns))
    sign = code(1 << (8 * code().itemsize - 1))
    differences = outputs - np.concatenate([codes, codes | sign, np.zeros(3, dtype=code)])
    path = Path(__file__).with_name(f"{name}.gz")
    path.write_bytes(gzip.compress(differences.astype(f"<u{code().itemsize}").tobytes(), 9, mtime=0))
    print(name, len(inputs), "inputs,", path.stat().st_size, "bytes")
