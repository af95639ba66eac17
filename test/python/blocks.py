"""A transformer block with adapters in PyTorch at float64: its outputs, and the gradients of their sum, as JSON.

Reads {"kind", "heads", "keyHeads", "leaves": {name: [[row], ...]}} from standard input. Columns of a leaf are tokens.
"""

import json
import sys

import torch
from torch.nn import functional as F

given = json.load(sys.stdin)
kind, heads, key_heads = given["kind"], given["heads"], given["keyHeads"]
leaves = {name: torch.tensor(rows, dtype=torch.float64) for name, rows in given["leaves"].items()}
trained = {name: leaf.requires_grad_() for name, leaf in leaves.items() if name[0] in "AB"}


def layer(site, x):
    """(W + B A) x, tokens down."""
    return F.linear(x, leaves[f"W[{site}]"] + leaves[f"B[{site}]"] @ leaves[f"A[{site}]"])


def rotated(x):
    """Rotary positions as in Llama: the halves of a head's coordinates are the two components of each pair."""
    tokens, size = x.shape[-2:]
    frequency = 10000.0 ** (-torch.arange(0, size, 2, dtype=torch.float64) / size)
    angle = torch.arange(tokens, dtype=torch.float64)[:, None] * frequency
    cos, sin = (torch.cat([f(angle), f(angle)], dim=-1) for f in (torch.cos, torch.sin))
    first, second = x.chunk(2, dim=-1)
    return x * cos + torch.cat([-second, first], dim=-1) * sin


def attention(q, k, v, causal):
    split = lambda x, count: x.unflatten(-1, (count, -1)).transpose(0, 1)
    q, k, v = split(q, heads), split(k, key_heads), split(v, key_heads)
    if causal:
        q, k = rotated(q), rotated(k)
    # Grouped-query attention: each head of keys serves as many of queries.
    k, v = (x.repeat_interleave(heads // key_heads, dim=0) for x in (k, v))
    return F.scaled_dot_product_attention(q, k, v, is_causal=causal).transpose(0, 1).flatten(-2)


x = leaves["x0"].T
width = x.shape[-1:]
if kind == "llama-block":
    rms = lambda x: F.rms_norm(x, width, eps=1e-6)
    seen = rms(x)
    x = x + layer("o", attention(layer("q", seen), layer("k", seen), layer("v", seen), causal=True))
    seen = rms(x)
    x = rms(x + layer("down", F.silu(layer("gate", seen)) * layer("up", seen)))
else:
    norm = lambda x: F.layer_norm(x, width, eps=1e-6)
    mixed = attention(layer("query", x), layer("key", x), layer("value", x), causal=False)
    x = norm(x + layer("dense", mixed))
    x = norm(x + layer("output", F.gelu(layer("intermediate", x))))
output = (x @ leaves["w"]).squeeze(-1)
output.sum().backward()
json.dump(
    {"output": output.tolist(), "gradients": {name: leaf.grad.tolist() for name, leaf in trained.items()}},
    sys.stdout,
)
