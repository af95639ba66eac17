"""The loss of a saved model's first batch with an adapter that our engine wrote: loadAdapter.py FOLDER ADAPTER."""

import json
import sys

import torch
import transformers as hf
from peft import PeftModel

folder, adapter = sys.argv[1:]
with open(f"{folder}/config.json") as file:
    (architecture,) = json.load(file)["architectures"]
model = getattr(hf, architecture).from_pretrained(folder, attn_implementation="eager", dtype=torch.float32)
model = PeftModel.from_pretrained(model, adapter).eval()
with open(f"{folder}/run.json") as file:
    batch = json.load(file)["batches"][0]
ids, mask, labels = (torch.tensor(batch[key]) for key in ("ids", "mask", "labels"))
with torch.no_grad():
    print(model(input_ids=ids, attention_mask=mask, labels=labels).loss.item())
