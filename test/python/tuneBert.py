"""Twenty steps of LoRA on MiniLM-L6 by PyTorch and PEFT: batches, start, losses and first gradients, for our engine to repeat.

Called with the checkpoint's folder, a folder for the results and the start, "A" or "B": the factor that is random.
"""

import json
import sys

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertForSequenceClassification, get_linear_schedule_with_warmup

checkpoint, folder, random_factor = sys.argv[1:]
STEPS, ACCUMULATE, SEQUENCES, TOKENS, CLASSES, RANK = 20, 2, 4, 24, 3, 8

torch.manual_seed(0)
config = BertConfig.from_pretrained(
    checkpoint,
    num_labels=CLASSES,
    hidden_dropout_prob=0.0,
    attention_probs_dropout_prob=0.0,
    attn_implementation="eager",
)
model = BertForSequenceClassification(config)
missing, unexpected = model.bert.load_state_dict(load_file(f"{checkpoint}/model.safetensors"), strict=False)
assert not missing, missing
assert set(unexpected) <= {"embeddings.position_ids"}, unexpected
torch.nn.init.normal_(model.classifier.weight, std=0.05)
model = get_peft_model(model, LoraConfig(r=RANK, lora_alpha=2 * RANK, lora_dropout=0.0, target_modules=["query", "value"]))

tensors = {name: model.get_base_model().classifier.get_parameter(name).detach().clone() for name in ("weight", "bias")}
tensors = {f"classifier.{name}": value for name, value in tensors.items()}
factors = {}
for name, parameter in model.named_parameters():
    if parameter.requires_grad:
        parts = name.split(".")
        factor = "A" if "lora_A" in parts else "B"
        module = ".".join(parts[parts.index("encoder") : parts.index("lora_" + factor)])
        with torch.no_grad():
            if factor == random_factor:
                parameter.normal_(std=parameter.shape[1] ** -0.5)
            else:
                parameter.zero_()
        factors[f"{module}.{factor}"] = parameter
for name, parameter in factors.items():
    tensors[f"start.{name}"] = parameter.detach().clone()

optimizer = torch.optim.AdamW(factors.values(), lr=2e-3, betas=(0.9, 0.99), eps=1e-8, weight_decay=0.01)
schedule = get_linear_schedule_with_warmup(optimizer, 3, STEPS)
losses, batches = [], []
for step in range(STEPS):
    total = 0.0
    for part in range(ACCUMULATE):
        ids = torch.randint(1000, 20000, (SEQUENCES, TOKENS))
        ids[:, 0] = 101
        lengths = torch.randint(TOKENS // 2, TOKENS + 1, (SEQUENCES,))
        mask = (torch.arange(TOKENS)[None] < lengths[:, None]).long()
        labels = torch.randint(0, CLASSES, (SEQUENCES,))
        batches.append({"ids": ids.tolist(), "mask": mask.tolist(), "labels": labels.tolist()})
        loss = model(input_ids=ids, attention_mask=mask, labels=labels).loss / ACCUMULATE
        loss.backward()
        total += loss.item()
    losses.append(total)
    if step == 0:
        for name, parameter in factors.items():
            tensors[f"first.{name}"] = parameter.grad.clone()
    torch.nn.utils.clip_grad_norm_(factors.values(), 1.0)
    optimizer.step()
    schedule.step()
    optimizer.zero_grad()
for name, parameter in factors.items():
    tensors[f"end.{name}"] = parameter.detach().clone()
save_file({name: value.contiguous() for name, value in tensors.items()}, f"{folder}/model.safetensors")
with open(f"{folder}/run.json", "w") as file:
    json.dump({"losses": losses, "batches": batches, "accumulate": ACCUMULATE, "classes": CLASSES, "rank": RANK}, file)
