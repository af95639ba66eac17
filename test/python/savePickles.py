"""Saves adapters as torch.save and PEFT do, for the parser of pickles to read; called with a folder.

Made with torch 2.13.0 and PEFT 0.21.2, dict.bin, ordered.pt and rows.pt lie in test/checkpoint/torch.
"""

import os
import sys
from collections import OrderedDict

import torch
from peft import LoraConfig, get_peft_model

(folder,) = sys.argv[1:]
A = torch.tensor([[1.0, 2.0, 3.0], [0.0, 1.0, 0.0]])
B = torch.tensor([[1.0, 0.0], [0.0, 2.0], [0.0, 0.0], [1.0, 1.0]])
q, v = "base_model.model.l.q", "base_model.model.l.v"


def save(value, name, **options):
    torch.save(value, os.path.join(folder, name), **options)


save({f"{q}.lora_A.weight": A, f"{q}.lora_B.weight": B, f"{v}.lora_A.weight": A.half(), f"{v}.lora_B.weight": B.bfloat16()}, "dict.bin")
module = torch.nn.Module()
module.l = torch.nn.Module()
module.l.lora_A, module.l.lora_B = torch.nn.Linear(3, 2, bias=False), torch.nn.Linear(2, 4, bias=False)
with torch.no_grad():
    module.l.lora_A.weight.copy_(A)
    module.l.lora_B.weight.copy_(B)
# A state_dict is an OrderedDict with `_metadata`.
save(module.state_dict(), "ordered.pt")
# Two tensors of one storage, one of them from its third number on; a later protocol.
both = torch.cat([A.flatten(), B.flatten()])
save({"l.lora_A.weight": both[:6].view(2, 3), "l.lora_B.weight": both[6:].view(4, 2)}, "rows.pt", pickle_protocol=4)
save({"l.lora_A.weight": A.t().contiguous().t(), "l.lora_B.weight": B}, "turned.pt")
save(module, "module.pt")
save({"l.lora_A.weight": A, "l.lora_B.weight": B}, "old.pt", _use_new_zipfile_serialization=False)
save({"l.lora_A.weight": torch.nn.Parameter(A), "l.lora_B.weight": B, "epoch": 3}, "epoch.pt")

torch.manual_seed(0)
model = torch.nn.Sequential(OrderedDict(q=torch.nn.Linear(6, 5), v=torch.nn.Linear(5, 4)))
tuned = get_peft_model(model, LoraConfig(r=2, lora_alpha=4, target_modules=["q", "v"], use_dora=True))
tuned.save_pretrained(os.path.join(folder, "bin"), safe_serialization=False)
tuned.save_pretrained(os.path.join(folder, "safe"))
