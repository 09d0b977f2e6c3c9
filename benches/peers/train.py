"""Images a second in training: this project's networks and the same in PyTorch, in one run.

Usage: python benches/peers/train.py [SECONDS]   (PyTorch CPU in this Python; writes results/bench-train-*.json and .md)
Every network is measured with 1 and with 2 threads for SECONDS (5): first all of ours, then all of PyTorch's, so
the machine must be idle throughout.
"""

import json
import pathlib
import platform
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


def main():
    seconds = sys.argv[1] if len(sys.argv) > 1 else "5"
    command = ["cargo", "bench", "-q", "-p", "wowflow-learn", "--bench", "train", "--", "--json", "--seconds", seconds]
    rows = []
    ours = [json.loads(line) for line in subprocess.run(
        command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines() if line.startswith("{")]
    for found in ours:
        make, parameters = NETWORKS[found["network"]]
        theirs = torch_rate(make, parameters, found["threads"], float(seconds))
        rows.append({**found, "torch_images_per_second": round(theirs, 1),
                     "ratio": round(found["images_per_second"] / theirs, 2)})
    revision = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "")
    head = {"revision": revision, "machine": platform.machine(), "cpu": cpu, "torch": torch.__version__,
            "batch": BATCH, "seconds": float(seconds)}
    name = ROOT / "results" / f"bench-train-{platform.machine()}-2c"
    name.with_suffix(".json").write_text(json.dumps({**head, "rows": rows}, indent=2) + "\n")
    lines = ["# Training: images a second", "",
             f"Batches of {BATCH} images of 28x28, AdamW, {seconds} s each, {cpu}, PyTorch {torch.__version__}, revision {revision}.", "",
             "| network | threads | wowflow | PyTorch | ratio |", "| --- | --- | --- | --- | --- |"]
    lines += [f"| {row['network']} | {row['threads']} | {row['images_per_second']:.0f} | {row['torch_images_per_second']:.0f} | {row['ratio']} |"
              for row in rows]
    name.with_suffix(".md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
