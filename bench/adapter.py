"""The step of the teacher-student experiment in PyTorch: python adapter.py FOLDER n N d MODE THREADS.

MODE: eager or compiled (given the frozen activations), or recomputed (the whole forward pass every step, as the
straightforward script does). For each line "steps rateA rateB" on stdin it trains anew and answers "seconds loss".
"""
import sys
import time

import numpy as np
import torch

folder, n, N, d, mode, threads = sys.argv[1], *map(int, sys.argv[2:5]), sys.argv[5], int(sys.argv[6])
torch.set_num_threads(threads)


def file(name, *shape):
    return torch.from_numpy(np.fromfile(f"{folder}/{name}", dtype=np.float32).reshape(shape))


P, H, w, y = file("P", n, N), file("H", n, N), file("wOut", n), file("y", N)
At, B0 = file("A transposed", n, 4), file("B", n, 4)

if mode == "recomputed":
    W_in, X = file("W_in", n, d), file("X", d, N)
    # A dense W_h with W_h P = H: the sweep never draws one.
    W_h = (H.double() @ torch.linalg.pinv(P.double())).float()

    def loss_of(A, B):
        p = torch.relu(W_in @ X)
        f = w @ torch.relu(W_h @ p + B @ (A @ p))
        return (f - y).square().mean() / 2
else:

    def loss_of(A, B):
        f = w @ torch.relu(H + B @ (A @ P))
        return (f - y).square().mean() / 2

    if mode == "compiled":
        loss_of = torch.compile(loss_of)


def train(steps, rate_a, rate_b):
    A, B = At.T.contiguous().requires_grad_(), B0.clone().requires_grad_()
    optimiser = torch.optim.Adam([{"params": [A], "lr": rate_a}, {"params": [B], "lr": rate_b}], eps=1e-8)
    for _ in range(steps):
        optimiser.zero_grad()
        loss_of(A, B).backward()
        optimiser.step()
    with torch.no_grad():
        return loss_of(A, B).item()


train(2, 1e-3, 1e-3)
print("ready", flush=True)
for line in sys.stdin:
    steps, rate_a, rate_b = line.split()
    start = time.perf_counter()
    loss = train(int(steps), float(rate_a), float(rate_b))
    print(time.perf_counter() - start, loss, flush=True)
