"""Records the sizes of LoRA features, and what changes them, while a PyTorch model trains.

Three lines in a training script (torch only; PEFT's layers are recognised, and own ones with `lora_A` and `lora_B`):

    from lora_scaling_recorder import LoraRecorder
    recorder = LoraRecorder(model, optimizer, "width-1024-seed-0.jsonl", seed=0)
    ...                                    # train as before
    recorder.close()

With the Trainer of transformers: `Trainer(..., callbacks=[trainer_callback("run.jsonl", seed=0)])`.

Each optimiser step writes a row a module and quantity, a JSON object a line, which `lora-scaling fit` and
`lora-scaling check --measured` read:

    {"run": "run", "seed": 0, "width": 1024, "rank": 8, "rate": 0.001, "step": 1, "module": "...q_proj", "kind": "q_proj", "quantity": "zA", "value": 0.98}

With Z the layer's input (before dropout; some rows of the last batch), s the multiplier, and a root mean square over rows
and coordinates as the size:

    zA = A Z            zB = s B A Z            b = B (its entries)
    delta1 = s B ΔA Z   delta2 = s ΔB A Z       delta3 = s ΔB ΔA Z     (A and B before the step, Δ by it)
    deltaZB = their sum                         change = s (B A − B₀ A₀) Z, since the recorder was made

Row 0 is the start. Z is of the step's own batch, so in a network it moves with the layers below.
"""

import json
import os

import torch


class LoraRecorder:
    """Records every `every`-th optimiser step into a file of JSON lines.

    model: any module with LoRA layers. optimizer: its steps are followed by hooks (torch 2.0 or newer).
    rows: how many rows of a batch are kept of each layer's input. width: in place of the layer's own input size.
    """

    def __init__(self, model, optimizer, path, *, run=None, seed=0, rate=None, width=None, every=1, rows=64, adapter="default"):
        if every < 1 or rows < 1:
            raise ValueError("every and rows are at least 1")
        self.layers = {name: layer for name, layer in ((name, _layer(module, adapter)) for name, module in model.named_modules()) if layer}
        if not self.layers:
            raise ValueError(f"no LoRA layer with lora_A and lora_B (adapter {adapter!r}) in {type(model).__name__}")
        group = optimizer.param_groups[0]
        rates = {group.get("initial_lr", group["lr"]) for group in optimizer.param_groups}
        if rate is None and len(rates) > 1:
            raise ValueError(f"the optimiser has several rates {sorted(rates)}: say which one the table names by rate=")
        self.fixed = {
            "run": run if run is not None else os.path.splitext(os.path.basename(path))[0],
            "seed": seed,
        }
        self.rate = rate if rate is not None else group.get("initial_lr", group["lr"])
        self.width, self.every, self.rows = width, every, rows
        self.step = 0
        self.inputs, self.before = {}, {}
        self.start = {name: _copies(layer) for name, layer in self.layers.items()}
        self.file = open(path, "w", encoding="utf-8")
        self.hooks = [layer.module.register_forward_pre_hook(self._keeper(name)) for name, layer in self.layers.items()]
        self.hooks.append(optimizer.register_step_pre_hook(lambda *_: self._before()))
        self.hooks.append(optimizer.register_step_post_hook(lambda *_: self._after()))

    def _keeper(self, name):
        def keep(module, inputs):
            if not (module.training and torch.is_grad_enabled()):
                return
            z = inputs[0].detach().reshape(-1, inputs[0].shape[-1])
            self.inputs[name] = z[:: max(1, len(z) // self.rows)][: self.rows].float()

        return keep

    def _before(self):
        self.before = {name: _copies(layer) for name, layer in self.layers.items()}
        if self.step == 0:
            for name, z in self.inputs.items():
                a, b = self.before[name]
                self._write(name, self._levels(self.layers[name], a, b, z))

    def _after(self):
        self.step += 1
        if self.step % self.every == 0:
            for name, z in self.inputs.items():
                layer, (a, b), (a0, b0) = self.layers[name], self.before[name], self.start[name]
                a1, b1 = _copies(layer)
                s, da, db = layer.scale, a1 - a, b1 - b
                delta1, delta2, delta3 = s * z @ da.T @ b.T, s * z @ a.T @ db.T, s * z @ da.T @ db.T
                self._write(
                    name,
                    {
                        **self._levels(layer, a1, b1, z),
                        "delta1": _size(delta1),
                        "delta2": _size(delta2),
                        "delta3": _size(delta3),
                        "deltaZB": _size(delta1 + delta2 + delta3),
                        "change": _size(s * (z @ a1.T @ b1.T - z @ a0.T @ b0.T)),
                    },
                )
            self.file.flush()
        self.inputs, self.before = {}, {}

    @staticmethod
    def _levels(layer, a, b, z):
        za = z @ a.T
        return {"zA": _size(za), "zB": _size(layer.scale * za @ b.T), "b": _size(b)}

    def _write(self, name, quantities):
        rank, width = self.layers[name].a().shape
        for quantity, value in quantities.items():
            row = {
                **self.fixed,
                "width": self.width if self.width is not None else width,
                "rank": rank,
                "rate": self.rate,
                "step": self.step,
                "module": name,
                "kind": ([part for part in name.split(".") if not part.isdigit()] or [name])[-1],
                "quantity": quantity,
                # JSON has no nan: a text, which the table's reader takes as a run that diverged.
                "value": value if value == value and abs(value) != float("inf") else "nan",
            }
            self.file.write(json.dumps(row) + "\n")

    def close(self):
        """Takes the hooks off and closes the file."""
        for hook in self.hooks:
            hook.remove()
        self.hooks = []
        self.file.close()


def trainer_callback(path, **options):
    """A TrainerCallback of transformers that records the Trainer's own optimiser; options as of LoraRecorder."""
    from transformers import TrainerCallback

    class Recording(TrainerCallback):
        recorder = None

        def on_train_begin(self, args, state, control, model=None, optimizer=None, **_):
            # Accelerate wraps the optimiser; the hooks belong to the one that steps.
            inner = getattr(optimizer, "optimizer", optimizer)
            self.recorder = LoraRecorder(model, inner, path, **{"seed": args.seed, "rate": args.learning_rate, **options})

        def on_train_end(self, args, state, control, **_):
            if self.recorder is not None:
                self.recorder.close()

    return Recording()


class _Layer:
    def __init__(self, module, a, b, scale):
        self.module, self.a, self.b, self.scale = module, a, b, scale


def _layer(module, adapter):
    """The LoRA layer that a module is: PEFT's, with an entry an adapter, or one's own with lora_A and lora_B; else None."""
    a, b = getattr(module, "lora_A", None), getattr(module, "lora_B", None)
    if a is None or b is None:
        return None
    scale = getattr(module, "scaling", 1.0)
    if isinstance(a, (torch.nn.ModuleDict, torch.nn.ParameterDict)):
        if adapter not in a:
            return None
        a, b = a[adapter], b[adapter]
        scale = scale[adapter]
    weight = lambda factor: factor.weight if isinstance(factor, torch.nn.Module) else factor
    if weight(a).dim() != 2 or weight(b).dim() != 2:
        return None
    return _Layer(module, lambda: weight(a), lambda: weight(b), float(scale))


def _copies(layer):
    return layer.a().detach().float().clone(), layer.b().detach().float().clone()


def _size(values):
    return values.double().pow(2).mean().sqrt().item()
