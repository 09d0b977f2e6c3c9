"""Images a second in training: this project's networks and the same in PyTorch, in one run.

Usage: python benches/peers/train.py [SECONDS [ROUNDS]]   (PyTorch CPU in this Python; writes results/bench-train-*.json and .md)
Every network is measured with 1 and with 2 threads for SECONDS (3), in turns: all of ours, all of PyTorch's, and again,
ROUNDS (3) times. Rates are medians; the ratio is the median of the rounds' ratios.
"""

import json
import pathlib
import platform
import statistics
import subprocess
import sys
import time

import torch
from torch import nn

ROOT = pathlib.Path(__file__).resolve().parents[2]
BATCH = 64


def lenet5():
    return nn.Sequential(
        nn.Conv2d(1, 6, 1), nn.ReLU(), nn.AvgPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.AvgPool2d(2),
        nn.Conv2d(16, 120, 5), nn.ReLU(), nn.Flatten(),
        nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )


def cnn():
    return nn.Sequential(
        nn.Conv2d(1, 3, 4), nn.MaxPool2d(2, 1), nn.ReLU(), nn.Flatten(),
        nn.Linear(1728, 512), nn.Sigmoid(), nn.Linear(512, 64), nn.ReLU(), nn.Linear(64, 10),
    )


def convnet():
    layers, channels = [], 1
    for block in range(3):
        padding = 3 if block == 0 else 1
        layers += [nn.Conv2d(channels, 128, 3, padding=padding), nn.GroupNorm(128, 128), nn.ReLU(), nn.AvgPool2d(2)]
        channels = 128
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(2048, 10))


NETWORKS = {"lenet5": (lenet5, 61_562), "cnn": (cnn, 918_781), "convnet": (convnet, 317_706)}


def torch_rate(make, parameters, threads, seconds):
    torch.set_num_threads(threads)
    network = make()
    assert sum(p.numel() for p in network.parameters()) == parameters
    optimiser = torch.optim.AdamW(network.parameters(), lr=3e-4, weight_decay=1e-4)
    images, labels = torch.rand(BATCH, 1, 28, 28), torch.arange(BATCH) % 10

    def step():
        optimiser.zero_grad()
        nn.functional.cross_entropy(network(images), labels).backward()
        optimiser.step()

    for _ in range(3):
        step()
    started, count = time.perf_counter(), 0
    while time.perf_counter() - started < seconds:
        step()
        count += BATCH
    return count / (time.perf_counter() - started)


def our_rates(seconds):
    command = ["cargo", "bench", "-q", "-p", "wowflow-learn", "--bench", "train", "--", "--json", "--seconds", seconds]
    printed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    found = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    return {(row["network"], row["threads"]): row["images_per_second"] for row in found}


def main():
    seconds = sys.argv[1] if len(sys.argv) > 1 else "3"
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    rates = {}
    for _ in range(rounds):
        for (network, threads), ours in our_rates(seconds).items():
            theirs = torch_rate(*NETWORKS[network], threads, float(seconds))
            rates.setdefault((network, threads), []).append((ours, theirs))
    rows = [{"network": network, "threads": threads,
             "images_per_second": statistics.median(ours for ours, _ in pairs),
             "torch_images_per_second": round(statistics.median(theirs for _, theirs in pairs), 1),
             "ratio": round(statistics.median(ours / theirs for ours, theirs in pairs), 2)}
            for (network, threads), pairs in rates.items()]
    revision = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "")
    head = {"revision": revision, "machine": platform.machine(), "cpu": cpu, "torch": torch.__version__,
            "batch": BATCH, "seconds": float(seconds), "rounds": rounds}
    name = ROOT / "results" / f"bench-train-{platform.machine()}-2c"
    name.with_suffix(".json").write_text(json.dumps({**head, "rows": rows}, indent=2) + "\n")
    lines = ["# Training: images a second", "",
             f"Batches of {BATCH} images of 28x28, AdamW, {rounds} rounds of {seconds} s each, medians, {cpu}, PyTorch {torch.__version__}, revision {revision}.", "",
             "| network | threads | wowflow | PyTorch | ratio |", "| --- | --- | --- | --- | --- |"]
    lines += [f"| {row['network']} | {row['threads']} | {row['images_per_second']:.0f} | {row['torch_images_per_second']:.0f} | {row['ratio']} |"
              for row in rows]
    name.with_suffix(".md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
