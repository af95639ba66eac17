"""One LoRA training step of a Llama-type model in PyTorch and PEFT: python llama.py FOLDER MODE THREADS.

FOLDER holds config.json, model.safetensors, adapters (start.safetensors) and the tokens (tokens.json). MODE: eager or compiled.
For each line "steps rateA rateB" on stdin it trains anew and answers "seconds loss peakMiB".
"""
import json
import resource
import sys
import time

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file
from transformers import LlamaForCausalLM

folder, mode, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
torch.set_num_threads(threads)
with open(f"{folder}/tokens.json") as file:
    ids = torch.tensor(json.load(file))
model = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32)
model = get_peft_model(model, LoraConfig(r=8, lora_alpha=16, target_modules=["q_proj", "v_proj"]))
start = load_file(f"{folder}/start/adapter_model.safetensors")
factors = {
    key.replace(".default.", "."): parameter for key, parameter in model.named_parameters() if parameter.requires_grad
}
assert factors.keys() == start.keys()
step = torch.compile(model) if mode == "compiled" else model


def train(steps, rate):
    with torch.no_grad():
        for key, parameter in factors.items():
            parameter.copy_(start[key])
    optimizer = torch.optim.AdamW(factors.values(), lr=rate, weight_decay=0.0)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = step(input_ids=ids, labels=ids).loss
        loss.backward()
        optimizer.step()
    return loss.item()


train(2, 1e-3)
print("ready", flush=True)
for line in sys.stdin:
    steps, rate, _ = line.split()
    begin = time.perf_counter()
    loss = train(int(steps), float(rate))
    print(time.perf_counter() - begin, loss, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, flush=True)
