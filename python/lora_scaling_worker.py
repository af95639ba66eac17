"""Fine-tunes, scores and saves a model by transformers and PEFT, asked by lines of JSON: lora-scaling's engine `torch`.

    {"id": 1, "do": "open", "model": "folder", …}        a request, on standard input
    {"id": 1, "ok": {…}}                                 its answer, on standard output
    {"id": 1, "error": {"kind": "input", "field": …}}    or why there is none: "input" where the request is at fault

The first line that is written says the protocol's version, the packages' versions and the device. Everything else that
Python or a library prints goes to standard error. Several processes (RANK and WORLD_SIZE in the environment, as torchrun
and accelerate have them) each read the same requests; each takes its share of every batch, and all give the same answers.

Nothing is drawn here: starts, batches, rates and their order come with the requests. There is no dropout.
"""

import importlib.metadata
import json
import math
import os
import re
import signal
import sys
import traceback

PROTOCOL = 2
PACKAGES = ("torch", "transformers", "peft", "accelerate", "safetensors", "gguf")
FAMILIES = ("bert", "roberta", "llama", "qwen2")
# The layers that classify, as transformers names them: they are trained with the adapters.
HEADS = ("classifier.", "score.")
IGNORED = -100
# As `measuredTokens` of src/train/tuning/engine.ts.
MEASURED_TOKENS = 64
PRECISIONS = ("float32", "bfloat16", "float16")
# What a loss is multiplied by in float16, so that its gradients are not lost below 2^-24; halved where they overflow.
LOSS_SCALE = 2.0**16
PREFIX = "base_model.model."


class BadRequest(Exception):
    """A request that cannot be met as it is: which field, what it holds, what is allowed, an example."""

    def __init__(self, field, given, allowed, example):
        super().__init__(f"{field}: {allowed}")
        self.detail = {"kind": "input", "field": field, "given": shown(given), "allowed": allowed, "example": example}


def shown(value):
    if isinstance(value, (int, float)):
        return value
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= 200 else f"{text[:200]}…"


def installed():
    """The versions of the packages by their names; None for one that is missing."""

    def version(name):
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            return None

    return {"python": sys.version.split()[0], **{name: version(name) for name in PACKAGES}}


def take(request, field, is_allowed, allowed, example):
    value = request.get(field)
    if not is_allowed(value):
        raise BadRequest(field, value, allowed, example)
    return value


def is_count(value, least=1):
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def is_number(value, least=0.0):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) and value >= least


def is_text(value):
    return isinstance(value, str) and value != ""


def is_list(value, of):
    return isinstance(value, list) and len(value) > 0 and all(of(each) for each in value)


def is_flag(value):
    return isinstance(value, bool)


def finite(value):
    """Numbers as JSON has them: what is not finite becomes a text."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {key: finite(own) for key, own in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(own) for own in value]
    return value


def plain(name):
    """A parameter's name as a PEFT file has it, without its prefix."""
    return name.replace(".base_layer.", ".").replace(".default.", ".")


class Site:
    """An adapted module: its factors, its multiplier, and the rows that it read in the step under way."""

    def __init__(self, name, module):
        self.name, self.module = name, module
        self.scale = float(module.scaling["default"])
        self.rows = None

    def factors(self):
        return whole(self.module.lora_A["default"].weight), whole(self.module.lora_B["default"].weight)


def whole(parameter):
    """A copy of a tensor in float32, put together where processes share it."""
    import torch

    tensor = parameter.detach()
    if hasattr(tensor, "full_tensor"):
        tensor = tensor.full_tensor()
    return tensor.to(torch.float32).clone()


class Worker:
    """One model at a time, and one run on it."""

    def __init__(self):
        import torch
        from accelerate import PartialState

        torch.set_num_threads(int(os.environ.get("LORA_SCALING_THREADS", "1")))
        torch.use_deterministic_algorithms(True, warn_only=True)
        self.state = PartialState(cpu=os.environ.get("LORA_SCALING_DEVICE", "auto") == "cpu")
        self.device, self.processes, self.rank = self.state.device, self.state.num_processes, self.state.process_index
        self.model = None
        self.optimizer = None

    def hello(self):
        import torch

        name = torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else self.device.type
        return {"protocol": PROTOCOL, "versions": installed(), "device": name, "processes": self.processes}

    # Requests

    def open(self, request):
        """Loads a model and puts adapters on it; says what is trained, and each tensor's shape."""
        import torch
        from peft import LoraConfig, inject_adapter_in_model

        path = take(request, "model", is_text, "a folder with config.json and safetensors, or a GGUF file", "models/llama")
        classes = take(request, "classes", lambda v: v is None or is_count(v, 2), "a number of classes ≥ 2, or null for the next token", "3")
        precision = take(request, "precision", lambda v: v in PRECISIONS, " or ".join(PRECISIONS), "float32")
        sites = take(request, "sites", lambda v: is_list(v, is_text), "the last parts of modules' names", '["q_proj"]')
        layers = take(request, "layers", lambda v: v is None or is_list(v, lambda own: is_count(own, 0)), "blocks by their numbers from 0, or null for all", "[0, 1]")
        rank = take(request, "rank", is_count, "an integer ≥ 1", "8")
        scale = take(request, "scale", is_number, "what B A is multiplied by, a number ≥ 0", "2")
        head = take(request, "trainHead", is_flag, "true or false", "true")
        self.sharded = take(request, "sharded", is_flag, "true or false", "false") and self.processes > 1
        checkpointing = take(request, "recompute", is_flag, "true or false", "false")
        self.model = self.optimizer = None
        dtype, self.half = getattr(torch, precision), precision == "float16"
        model = from_gguf(path, classes, dtype) if path.endswith(".gguf") else from_folder(path, classes, dtype)
        self.lora = LoraConfig(
            r=rank, lora_alpha=scale * rank, lora_dropout=0.0, bias="none", target_modules=sites, layers_to_transform=layers,
            task_type="CAUSAL_LM" if classes is None else "SEQ_CLS",
        )  # fmt: skip
        try:
            model = inject_adapter_in_model(self.lora, model)
        except ValueError as error:
            raise BadRequest("sites", sites, str(error).split("\n")[0], '["q_proj", "v_proj"]') from None
        blocks = {int(number) for name, own in model.named_modules() if hasattr(own, "lora_A") for number in re.findall(r"\.(\d+)\.", name)[:1]}
        if layers is not None and set(layers) - blocks:
            raise BadRequest("layers", layers, f"blocks of the model that have {', '.join(sites)}", json.dumps(sorted(blocks)))
        for module in model.modules():
            if hasattr(module, "lora_A") and "default" in module.lora_A:
                # As it was given, not α / r with its rounding.
                module.scaling["default"] = scale
        for name, parameter in model.named_parameters():
            is_factor = ".lora_A." in name or ".lora_B." in name
            parameter.requires_grad_(is_factor or (head and plain(name).startswith(HEADS)))
            if parameter.requires_grad:
                parameter.data = parameter.data.float()
        widen_inputs(model)
        if checkpointing:
            model.gradient_checkpointing_enable({"use_reentrant": False})
        self.classes, self.model = classes, model.train()
        if self.sharded:
            shard(self.model, self.device, self.processes)
        else:
            self.model.to(self.device)
        self.trained = {plain(name): own for name, own in self.model.named_parameters() if own.requires_grad}
        modules = [(name, own) for name, own in self.model.named_modules() if hasattr(own, "lora_A") and "default" in own.lora_A]
        self.sites = [Site(name, own) for name, own in modules]
        self.recording = False
        for site in self.sites:
            site.module.register_forward_pre_hook(self.keeper(site))
        self.picked = None
        if hasattr(self.model, "score"):
            self.model.score.register_forward_hook(self.pick)
        return {
            "trained": [{"name": name, "shape": list(own.shape)} for name, own in self.trained.items()],
            "parameters": sum(own.numel() for own in self.model.parameters()),
        }

    def start(self, request):
        """Sets what is trained to the values of a PEFT folder, and the optimiser to its start."""
        import torch
        from safetensors.torch import load_file

        self.require_model()
        folder = take(request, "adapter", is_text, "a PEFT folder", "adapter/")
        factors = take(request, "factors", lambda v: isinstance(v, dict) and all(is_number(own) for own in v.values()), "numbers ≥ 0 by the trained tensors' names", "{}")
        settings = {name: take(request, name, is_number, "a number ≥ 0", "0.9") for name in ("beta1", "beta2", "epsilon", "weightDecay")}
        self.clip = take(request, "clip", lambda v: v is None or is_number(v), "a number ≥ 0, or null for none", "1")
        file = os.path.join(folder, "adapter_model.safetensors")
        if not os.path.isfile(file):
            raise BadRequest("adapter", folder, "a folder with adapter_model.safetensors", "adapter/")
        given = {name.removeprefix(PREFIX): own for name, own in load_file(file).items()}
        odd = next((name for name in [*given, *self.trained] if (name in given) != (name in self.trained)), None)
        if odd is not None:
            raise BadRequest("adapter", odd, "exactly the trained tensors, each " + ("one of the model" if odd in given else "in the file"), next(iter(self.trained)))
        unknown = next((name for name in factors if name not in self.trained), None)
        if unknown is not None:
            raise BadRequest("factors", unknown, "names of trained tensors", next(iter(self.trained)))
        for name, parameter in self.trained.items():
            if given[name].numel() != parameter.numel():
                raise BadRequest("adapter", f"{name} of shape {list(given[name].shape)}", f"the shape {list(parameter.shape)}", name)
            put(parameter, given[name].reshape(parameter.shape))
        # What has no rate stays as it is and does not count in the joint norm.
        self.moving = {name: own for name, own in self.trained.items() if factors.get(name, 1) != 0}
        if not self.moving:
            raise BadRequest("factors", factors, "a tensor at least whose factor is not 0", "{}")
        groups = {}
        for name, parameter in self.moving.items():
            groups.setdefault(float(factors.get(name, 1)), []).append(parameter)
        self.optimizer = torch.optim.AdamW(
            [{"params": own, "lr": 0.0, "factor": factor} for factor, own in groups.items()],
            betas=(settings["beta1"], settings["beta2"]), eps=settings["epsilon"], weight_decay=settings["weightDecay"],
        )  # fmt: skip
        self.done = 0
        self.first = {site.name: site.factors() for site in self.sites}
        return {}

    def step(self, request):
        """Takes a step on the mean loss of some batches; gives loss, gradients' norm before clipping, and sizes at each site."""
        import torch

        self.require_run()
        batches = take(request, "batches", lambda v: is_list(v, lambda own: isinstance(own, dict)), "a list of batches", '[{"ids": [[1, 2]], …}]')
        rate = take(request, "rate", is_number, "a number ≥ 0", "0.001")
        self.recording = take(request, "record", is_flag, "true or false", "false")
        shares = [self.share(batch, f"batches[{i}]") for i, batch in enumerate(batches)]
        own = list(self.moving.values())
        # Each step begins with the same one: a run that is taken up again has the same bits.
        scale = LOSS_SCALE if self.half else 1.0
        total = self.backward(shares, own, scale)
        while scale > 1 and math.isfinite(self.sum(total).item()) and not self.all_finite(own):
            scale /= 2
            total = self.backward(shares, own, scale)
        if scale != 1:
            for parameter in own:
                parameter.grad /= scale
        bound = math.inf if self.clip is None else self.clip
        norm = whole(torch.nn.utils.clip_grad_norm_(own, bound)).item()
        before = {site.name: site.factors() for site in self.sites} if self.recording else {}
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["factor"]
        self.optimizer.step()
        self.model.zero_grad()
        self.done += 1
        answer = {"step": self.done, "loss": self.sum(total).item(), "norm": norm, "sites": []}
        if self.recording:
            for site in self.sites:
                z = measured(site.rows, batches[-1]["mask"], shares[-1]).double()
                answer["sites"] += self.sizes(site, z, before[site.name])
                site.rows = None
        return answer

    def backward(self, shares, own, scale):
        """Gradients of the batches' mean loss, times a number; gives this process's part of the loss itself."""
        import torch

        self.model.zero_grad()
        total = torch.zeros((), dtype=torch.float64, device=self.device)
        for share in shares:
            loss = self.loss(share) / len(shares)
            # Sharded gradients are the processes' mean.
            (loss * scale * (self.processes if self.sharded else 1)).backward()
            total += loss.detach()
        for parameter in own:
            # AdamW leaves a tensor without a gradient alone; one with a gradient of zero decays.
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        if self.processes > 1 and not self.sharded:
            for parameter in own:
                torch.distributed.all_reduce(parameter.grad)
        return total

    def all_finite(self, own):
        """Whether every gradient is a number, on all processes."""
        import torch

        odd = sum(int(not torch.isfinite(local(parameter.grad)).all()) for parameter in own)
        return self.sum(torch.tensor(odd, device=self.device)).item() == 0

    def score(self, request):
        """Of each sequence the log-likelihood of every class; or, a list of one, that of what is told of it."""
        import torch

        self.require_run()
        batch = take(request, "batch", lambda v: isinstance(v, dict), "a batch", '{"ids": [[1, 2]], …}')
        share = self.share(batch, "batch")
        self.recording = False
        self.model.eval()
        with torch.no_grad():
            logits = self.logits(share)
            if self.classes is None:
                rows = -told_tokens(logits, share).double().sum(1, keepdim=True)
            else:
                rows = torch.log_softmax(logits.double(), 1)
        self.model.train()
        return {"scores": self.gathered(share, rows.tolist())}

    def generate(self, request):
        """Each prompt's most likely next token, again and again, until one that stops or so many."""
        import torch
        from transformers import GenerationConfig

        self.require_run()
        if self.classes is not None:
            raise BadRequest("do", "generate", "a model that tells the next token", "classes: null")
        prompts = take(request, "prompts", lambda v: is_list(v, lambda own: is_list(own, lambda t: is_count(t, 0))), "lists of tokens", "[[1, 2]]")
        most = take(request, "most", is_count, "an integer ≥ 1", "256")
        stop = take(request, "stop", lambda v: isinstance(v, list) and all(is_count(own, 0) for own in v), "a list of tokens", "[2]")
        self.known(prompts, "prompts")
        longest = max(len(own) for own in prompts)
        # Prompts end together, so that each one's next token comes at the same place.
        batch = {
            "ids": [[0] * (longest - len(own)) + own for own in prompts],
            "mask": [[0] * (longest - len(own)) + [1] * len(own) for own in prompts],
        }
        share = self.part_of(batch)
        self.recording = False
        self.model.eval()
        with torch.no_grad():
            found = self.model.generate(
                share["ids"], attention_mask=share["mask"], synced_gpus=self.sharded,
                generation_config=GenerationConfig(do_sample=False, num_beams=1, max_new_tokens=most, eos_token_id=stop or None, pad_token_id=0),
            )  # fmt: skip
        self.model.train()
        told = [own[longest:] for own in found.tolist()]
        ends = [next((i for i, token in enumerate(own) if token in stop), len(own)) for own in told]
        return {"continuations": self.gathered(share, [own[:end] for own, end in zip(told, ends)])}

    def save(self, request):
        """Writes what is trained as a folder that PEFT loads."""
        from safetensors.torch import save_file

        self.require_run()
        folder = take(request, "folder", is_text, "a folder", "adapter/")
        base = take(request, "base", lambda v: v is None or is_text(v), "the base model's name, or null", "null")
        tensors = {f"{PREFIX}{name}": whole(own).cpu().contiguous() for name, own in self.trained.items()}
        if self.rank == 0:
            os.makedirs(folder, exist_ok=True)
            self.lora.base_model_name_or_path, self.lora.inference_mode = base, True
            self.lora.save_pretrained(folder)
            file = os.path.join(folder, "adapter_model.safetensors")
            save_file(tensors, f"{file}.part", metadata={"format": "pt"})
            os.replace(f"{file}.part", file)
        return {}

    def keep(self, request):
        """Writes the run as it is, the optimiser's state too, for `resume` to go on from: a file a process."""
        from safetensors.torch import save_file

        self.require_run()
        folder = take(request, "folder", is_text, "a folder", "kept/")
        os.makedirs(folder, exist_ok=True)
        tensors = {}
        for name, parameter in self.trained.items():
            state = self.optimizer.state[parameter] if name in self.moving else {}
            for part, own in {"value": parameter, **state}.items():
                tensors[f"{part}/{name}"] = local(own).detach().cpu().contiguous().clone()
        for name, (a, b) in self.first.items():
            tensors[f"first A/{name}"], tensors[f"first B/{name}"] = a.cpu(), b.cpu()
        file = os.path.join(folder, f"{self.done}-{self.rank}-of-{self.processes}.safetensors")
        save_file(tensors, f"{file}.part")
        os.replace(f"{file}.part", file)
        return {"step": self.done}

    def resume(self, request):
        """Goes on from what `keep` wrote, after `start` with the same settings."""
        import torch
        from safetensors.torch import load_file

        self.require_run()
        folder = take(request, "folder", is_text, "a folder", "kept/")
        step = take(request, "step", is_count, "an integer ≥ 1", "100")
        file = os.path.join(folder, f"{step}-{self.rank}-of-{self.processes}.safetensors")
        if not os.path.isfile(file):
            raise BadRequest("folder", folder, f"a folder with {os.path.basename(file)}", "kept/")
        tensors = load_file(file)
        with torch.no_grad():
            for name, parameter in self.trained.items():
                local(parameter).copy_(tensors[f"value/{name}"])
                if name not in self.moving:
                    continue
                state = {"step": tensors[f"step/{name}"]}
                for part in ("exp_avg", "exp_avg_sq"):
                    state[part] = torch.zeros_like(parameter)
                    local(state[part]).copy_(tensors[f"{part}/{name}"])
                self.optimizer.state[parameter] = state
        for name, (a, b) in self.first.items():
            a.copy_(tensors[f"first A/{name}"])
            b.copy_(tensors[f"first B/{name}"])
        self.done = step
        return {"step": step}

    # Parts of requests

    def require_model(self):
        if self.model is None:
            raise BadRequest("do", "a request about a model", "open before it", '"do": "open"')

    def require_run(self):
        self.require_model()
        if self.optimizer is None:
            raise BadRequest("do", "a request about a run", "start before it", '"do": "start"')

    def known(self, ids, field):
        words = self.model.get_input_embeddings().num_embeddings
        wrong = next((token for own in ids for token in own if not (is_count(token, 0) and token < words)), None)
        if wrong is not None:
            raise BadRequest(field, wrong, f"tokens from 0, below {words}", "0")

    def share(self, batch, field):
        """This process's sequences of a checked batch, with the number of what counts in the whole of it."""
        import torch

        ids = take(batch, "ids", lambda v: is_list(v, lambda own: isinstance(own, list) and len(own) > 0), f"sequences of tokens ({field})", "[[101, 102]]")
        length = len(ids[0])
        self.known(ids, f"{field}.ids")
        for name in ("ids", "mask", "segments"):
            own = batch.get(name)
            if own is None and name == "segments":
                continue
            if not (isinstance(own, list) and len(own) == len(ids) and all(isinstance(row, list) and len(row) == length and all(is_count(v, 0) for v in row) for row in own)):
                raise BadRequest(f"{field}.{name}", own, f"{len(ids)} sequences of {length} integers", "[[1, 1]]")
        labels = batch.get("labels")
        if self.classes is None:
            words = self.model.get_input_embeddings().num_embeddings
            is_label = lambda own: isinstance(own, list) and len(own) == length and all(isinstance(v, int) and (v == IGNORED or 0 <= v < words) for v in own)
            allowed = f"for each token its number, or {IGNORED}"
        else:
            is_label = lambda own: is_count(own, 0) and own < self.classes
            allowed = f"a class from 0, below {self.classes}, for each sequence"
        if not (isinstance(labels, list) and len(labels) == len(ids) and all(is_label(own) for own in labels)):
            raise BadRequest(f"{field}.labels", labels, allowed, "[0]")
        if self.classes is None:
            # Nothing is told from padding.
            told = [[IGNORED if seen == 0 else label for label, seen in zip(own[1:], mask)] for own, mask in zip(labels, batch["mask"])]
            count = sum(label != IGNORED for own in told for label in own)
        else:
            told, count = labels, len(labels)
        if count == 0:
            raise BadRequest(f"{field}.labels", labels, "a token behind the first of a sequence that counts", "[[5, 6]]")
        share = self.part_of({**batch, "labels": told})
        return {**share, "count": count}

    def part_of(self, batch):
        """This process's sequences; one that counts for nothing where there are fewer of them than processes."""
        import torch

        total = len(batch["ids"])
        size = -(-total // self.processes)
        first, last = min(self.rank * size, total), min((self.rank + 1) * size, total)
        own = range(first, last) if last > first else range(1)
        part = {
            name: torch.tensor([batch[name][i] for i in own], dtype=torch.long, device=self.device)
            for name in ("ids", "mask", "segments", "labels")
            if batch.get(name) is not None
        }
        return {**part, "first": first, "own": last - first}

    def logits(self, share):
        inputs = {"input_ids": share["ids"], "attention_mask": share["mask"]}
        if "segments" in share and self.model.config.model_type == "bert":
            inputs["token_type_ids"] = share["segments"]
        if self.model.config.model_type in ("llama", "qwen2"):
            inputs["use_cache"] = False
        # A decoder's class is told by the last token that is none of padding's, whatever its number.
        width = share["mask"].shape[1]
        self.picked = width - 1 - share["mask"].flip(1).argmax(1)
        return self.model(**inputs).logits.float()

    def pick(self, module, inputs, logits):
        """Puts the logits of the token that tells the class at every place, so that transformers' own choice is none."""
        import torch

        rows = torch.arange(len(logits), device=logits.device)
        return logits[rows, self.picked][:, None].expand_as(logits)

    def loss(self, share):
        """This process's part of a batch's mean loss."""
        import torch

        logits = self.logits(share)
        if self.classes is None:
            own = told_tokens(logits, share)
        else:
            own = torch.nn.functional.cross_entropy(logits, share["labels"], reduction="none")
        return own.sum() / share["count"] if share["own"] > 0 else own.sum() * 0

    def keeper(self, site):
        def keep(module, inputs):
            import torch

            # The last batch's are kept.
            if self.recording and torch.is_grad_enabled():
                site.rows = inputs[0].detach()

        return keep

    def sizes(self, site, z, before):
        """Sizes after a step, and before the first one: root mean squares over entries, over measured tokens of all processes."""
        import torch

        s, number = site.scale, self.done
        (a0, b0), (a, b), (a1, b1) = ([own.double() for own in of] for of in (self.first[site.name], before, site.factors()))
        da, db = a1 - a, b1 - b
        # In the order in which they are read back below.
        of_tokens = {}
        if number == 1:
            of_tokens |= {"zA0": z @ a.T, "zB0": s * z @ a.T @ b.T}
        of_tokens |= {
            "zA": z @ a1.T, "zB": s * z @ a1.T @ b1.T,
            "delta1": s * z @ da.T @ b.T, "delta2": s * z @ a.T @ db.T, "delta3": s * z @ da.T @ db.T,
            "change": s * (z @ a1.T @ b1.T - z @ a0.T @ b0.T),
        }  # fmt: skip
        of_tokens["deltaZB"] = of_tokens["delta1"] + of_tokens["delta2"] + of_tokens["delta3"]
        sums = torch.stack([torch.stack([own.pow(2).sum(), own.new_tensor(own.numel())]) for own in of_tokens.values()])
        found = {name: math.sqrt(total / count) for name, (total, count) in zip(of_tokens, self.sum(sums).tolist())}
        entries = {"a": a1, "b": b1, "movedA": a1 - a0, "movedB": b1 - b0}
        after = {name: own for name, own in found.items() if not name.endswith("0")}
        rows = [{"step": number, "module": site.name, "sizes": {**after, **{name: size(own) for name, own in entries.items()}}}]
        if number == 1:
            start = {"zA": found["zA0"], "zB": found["zB0"], "a": size(a), "b": size(b)}
            rows.insert(0, {"step": 0, "module": site.name, "sizes": start})
        return rows

    def sum(self, tensor):
        from accelerate.utils import reduce

        return reduce(tensor, "sum")

    def gathered(self, share, rows):
        """The rows of all processes, in the sequences' order."""
        from accelerate.utils import gather_object

        return gather_object(rows[: share["own"]])


def told_tokens(logits, share):
    """Of each sequence and token the loss of the next one, 0 where it does not count."""
    import torch

    return torch.nn.functional.cross_entropy(logits[:, :-1].transpose(1, 2), share["labels"], reduction="none", ignore_index=IGNORED)


def measured(rows, mask, share):
    """What a module reads of this process's measured tokens: of all but padding every k-th, and of these the first 64."""
    # A layer that classifies reads one row a sequence.
    length = rows.shape[1] if rows.dim() == 3 else 1
    tokens = [i * length + j for i, own in enumerate(mask) for j in range(length) if length == 1 or own[j]]
    picked = tokens[:: max(1, len(tokens) // MEASURED_TOKENS)][:MEASURED_TOKENS]
    first, last = share["first"] * length, (share["first"] + share["own"]) * length
    return rows.reshape(-1, rows.shape[-1])[[token - first for token in picked if first <= token < last]]


def put(parameter, value):
    """Sets a parameter, or each process's share of it."""
    import torch

    with torch.no_grad():
        if hasattr(parameter, "device_mesh"):
            from torch.distributed.tensor import distribute_tensor

            value = distribute_tensor(value.to(parameter.device, parameter.dtype), parameter.device_mesh, parameter.placements)
        parameter.copy_(value)


def size(values):
    return values.pow(2).mean().sqrt().item()


def local(tensor):
    return tensor.to_local() if hasattr(tensor, "to_local") else tensor


def config_of(path, **more):
    from transformers import AutoConfig

    try:
        config = AutoConfig.from_pretrained(path, local_files_only=True, **more)
    except (OSError, ValueError) as error:
        raise BadRequest("model", path, f"a folder that transformers opens ({str(error).splitlines()[0]})", "models/llama") from None
    if config.model_type not in FAMILIES:
        raise BadRequest("model", config.model_type, f"a model of the families {', '.join(FAMILIES)}", "llama")
    for name, value in list(vars(config).items()):
        if "dropout" in name and (value is None or isinstance(value, (int, float))):
            setattr(config, name, 0.0)
    # Any will do: no token of a sequence is told apart by it here.
    if config.pad_token_id is None:
        config.pad_token_id = 0
    return config


def from_folder(path, classes, dtype):
    import transformers

    if not os.path.isdir(path):
        raise BadRequest("model", path, "a folder that exists", "models/llama")
    config = config_of(path, **({} if classes is None else {"num_labels": classes}))
    kind = transformers.AutoModelForCausalLM if classes is None else transformers.AutoModelForSequenceClassification
    if classes is None and config.model_type in ("bert", "roberta"):
        raise BadRequest("model", config.model_type, "a model that tells the next token: llama or qwen2", "classes: 2")
    try:
        model, info = kind.from_pretrained(
            path, config=config, dtype=dtype, output_loading_info=True, local_files_only=True, use_safetensors=True, attn_implementation="sdpa"
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise BadRequest("model", path, f"a checkpoint that transformers loads ({str(error).splitlines()[0]})", "models/llama") from None
    missing = sorted(name for name in info["missing_keys"] if not name.startswith(HEADS))
    if missing:
        # transformers would draw it at random.
        raise BadRequest("model", f"no tensor {missing[0]}", "every weight of the model", missing[0])
    model.generation_config = transformers.GenerationConfig()
    return model


def from_gguf(path, classes, dtype):
    import transformers

    if classes is not None:
        raise BadRequest("model", path, "a folder with config.json and safetensors, where classes are told", "models/roberta")
    if not os.path.isfile(path):
        raise BadRequest("model", path, "a file that exists", "model.gguf")
    folder, name = os.path.split(path)
    config = config_of(folder, gguf_file=name)
    loaded = transformers.AutoModelForCausalLM.from_pretrained(folder, gguf_file=name)
    # As loaded it keeps a flag of quantisation, and cannot be converted.
    config = type(config).from_dict({**config.to_dict(), "quantization_config": None})
    config._attn_implementation = "sdpa"
    model = transformers.AutoModelForCausalLM.from_config(config)
    model.load_state_dict(loaded.state_dict())
    model.generation_config = transformers.GenerationConfig()
    return model.to(dtype)


def widen_inputs(model):
    """Trained layers that are no adapters read float32, whatever the frozen ones before them give."""
    import torch

    for module in model.modules():
        if isinstance(module, torch.nn.Linear) and module.weight.requires_grad and module.weight.dtype == torch.float32:
            module.register_forward_pre_hook(lambda _, inputs: (inputs[0].float(), *inputs[1:]))


def shard(model, device, processes):
    """Each process keeps its share of every weight (FSDP), and gathers a block's weights when the block is read."""
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    mesh = init_device_mesh(device.type, (processes,))
    blocks = set(model._no_split_modules or [])
    for module in model.modules():
        if type(module).__name__ in blocks:
            fully_shard(module, mesh=mesh)
    fully_shard(model, mesh=mesh)


REQUESTS = ("open", "start", "step", "score", "generate", "save", "keep", "resume")


def main():
    # An interruption is for the program that asks: it ends this one by ending its input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Libraries print too: the answers have a descriptor of their own.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(line):
        answers.write(json.dumps(finite(line)) + "\n")
        answers.flush()

    missing = [name for name, version in installed().items() if version is None]
    if missing:
        say({"protocol": PROTOCOL, "versions": installed(), "missing": missing})
        sys.exit(3)
    worker = Worker()
    say(worker.hello())
    for line in sys.stdin:
        request = None
        try:
            try:
                request = json.loads(line)
            except ValueError as error:
                raise BadRequest("request", line.strip(), f"a line of JSON ({error})", '{"id": 1, "do": "open", …}') from None
            if not isinstance(request, dict):
                raise BadRequest("request", request, "an object", '{"id": 1, "do": "open", …}')
            do = take(request, "do", lambda v: v in REQUESTS, f"one of {', '.join(REQUESTS)}", '"open"')
            answer = {"ok": getattr(worker, do)(request)}
        except BadRequest as error:
            answer = {"error": error.detail}
        except Exception as error:
            traceback.print_exc()
            answer = {"error": {"kind": "failed", "message": f"{type(error).__name__}: {error}"[:2000]}}
        say({"id": request.get("id") if isinstance(request, dict) else None, **answer})
        if answer.get("error", {}).get("kind") == "failed" and worker.processes > 1:
            # The others wait for this one.
            os._exit(1)


if __name__ == "__main__":
    if sys.argv[1:] == ["--versions"]:
        print(json.dumps(installed()))
    else:
        main()
