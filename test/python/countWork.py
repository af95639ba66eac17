"""What a step of LoRA takes in PyTorch and PEFT: counted by torch, for random models of given sizes.

    countWork.py '[{"config": {…}, "classes": null, "sites": […], "rank": 8, "tokens": 32, "sequences": 2}]'

Prints, a line of JSON a model: the operations of products forward and backward (FlopCounterMode), the bytes that autograd
keeps for the backward pass, parameters and inputs of the model left out, and how many numbers are frozen and trained.
"""

import json
import sys

import torch
from peft import LoraConfig, get_peft_model
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSequenceClassification



def counted(case, attention):
    config = dict(case["config"])
    classes = case["classes"]
    torch.manual_seed(0)
    own = AutoConfig.for_model(**config, **({} if classes is None else {"num_labels": classes}))
    own.hidden_dropout_prob = own.attention_probs_dropout_prob = 0.0
    kind = AutoModelForCausalLM if classes is None else AutoModelForSequenceClassification
    base = kind.from_config(own, attn_implementation=attention)
    lora = LoraConfig(
        task_type="CAUSAL_LM" if classes is None else "SEQ_CLS",
        r=case["rank"],
        lora_alpha=case["rank"],
        target_modules=case["sites"],
        layers_to_transform=case.get("layers"),
    )
    model = get_peft_model(base, lora).to(getattr(torch, case["precision"]))
    model.train()
    ids = torch.randint(5, 50, (case["sequences"], case["tokens"]))
    labels = ids if classes is None else torch.zeros(case["sequences"], dtype=torch.long)
    given = {each.untyped_storage().data_ptr() for each in [*model.parameters(), *model.buffers()]}
    kept = {}

    def keep(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in given:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    forward, backward = FlopCounterMode(display=False), FlopCounterMode(display=False)
    with forward, torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss = model(input_ids=ids, labels=labels).loss
    with backward:
        loss.backward()
    trained = sum(each.numel() for each in model.parameters() if each.requires_grad)
    frozen = sum(each.numel() for each in model.parameters()) - trained
    found = {"forward": forward.get_total_flops(), "backward": backward.get_total_flops()}
    return {**found, "kept": sum(kept.values()), "frozen": frozen, "trained": trained}


for each in json.loads(sys.argv[1]):
    # Fused attention keeps no scores; torch does not count its operations on a CPU.
    fused, plain = counted(each, "sdpa"), counted(each, "eager")
    print(json.dumps({**plain, "kept": fused["kept"], "keptPlain": plain["kept"]}))
