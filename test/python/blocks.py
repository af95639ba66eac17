"""A transformer block with adapters in PyTorch at float64: its outputs, and the gradients of their sum, as JSON.

Reads {"kind", "heads", "keyHeads", "leaves": {name: [[row], ...]}} a line from standard input, and answers each by a
line. Columns of a leaf are tokens.
"""

import json
import sys

import torch
from torch.nn import functional as F


def layer(leaves, site, x):
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


def attention(q, k, v, heads, key_heads, causal):
    split = lambda x, count: x.unflatten(-1, (count, -1)).transpose(0, 1)
    q, k, v = split(q, heads), split(k, key_heads), split(v, key_heads)
    if causal:
        q, k = rotated(q), rotated(k)
    # Grouped-query attention: each head of keys serves as many of queries.
    k, v = (x.repeat_interleave(heads // key_heads, dim=0) for x in (k, v))
    return F.scaled_dot_product_attention(q, k, v, is_causal=causal).transpose(0, 1).flatten(-2)


def block(kind, leaves, heads, key_heads):
    x = leaves["x0"].T
    width = x.shape[-1:]
    site = lambda name, x: layer(leaves, name, x)
    mixed = lambda q, k, v, causal: attention(q, k, v, heads, key_heads, causal)
    if kind == "llama-block":
        rms = lambda x: F.rms_norm(x, width, eps=1e-6)
        seen = rms(x)
        x = x + site("o", mixed(site("q", seen), site("k", seen), site("v", seen), causal=True))
        seen = rms(x)
        x = rms(x + site("down", F.silu(site("gate", seen)) * site("up", seen)))
    else:
        norm = lambda x: F.layer_norm(x, width, eps=1e-6)
        x = norm(x + site("dense", mixed(site("query", x), site("key", x), site("value", x), causal=False)))
        x = norm(x + site("output", F.gelu(site("intermediate", x))))
    return (x @ leaves["w"]).squeeze(-1)


for line in sys.stdin:
    given = json.loads(line)
    leaves = {name: torch.tensor(rows, dtype=torch.float64) for name, rows in given["leaves"].items()}
    trained = {name: leaf.requires_grad_() for name, leaf in leaves.items() if name[0] in "AB"}
    output = block(given["kind"], leaves, given["heads"], given["keyHeads"])
    output.sum().backward()
    gradients = {name: leaf.grad.tolist() for name, leaf in trained.items()}
    print(json.dumps({"output": output.tolist(), "gradients": gradients}), flush=True)
