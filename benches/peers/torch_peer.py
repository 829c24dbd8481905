"""PyTorch at the trainings that a JSON file lists; one JSON line each. Run by `cargo xtask bench peers`."""
import json
import sys
import time

import torch

torch.set_num_threads(2)


def network(sizes, dropout):
    layers = []
    for i, (inputs, units) in enumerate(zip(sizes, sizes[1:])):
        layers.append(torch.nn.Linear(inputs, units))
        if i < len(sizes) - 2:
            layers.append(torch.nn.ReLU())
            if dropout:
                layers.append(torch.nn.Dropout(dropout))
    return torch.nn.Sequential(*layers)


def measure(samples, sizes, batch, rule, dropout, **_):
    torch.manual_seed(0)
    x, y = torch.rand(samples, sizes[0]), torch.randint(0, sizes[-1], (samples,))
    model, criterion = network(sizes, dropout), torch.nn.CrossEntropyLoss()
    if rule == "adam":
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    else:
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, fused=True)

    def epoch():
        order, steps = torch.randperm(samples), 0
        for i in range(0, samples - batch + 1, batch):
            chosen = order[i : i + batch]
            optimizer.zero_grad(set_to_none=True)
            criterion(model(x[chosen]), y[chosen]).backward()
            optimizer.step()
            steps += 1
        return steps

    epoch()
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        steps = epoch()
        best = min(best, (time.perf_counter() - start) / steps)
    return best


def predict(samples):
    model, x = network([784, 128, 10], 0), torch.rand(samples, 784)
    best = float("inf")
    with torch.inference_mode():
        for _ in range(200):
            start = time.perf_counter()
            model(x)
            best = min(best, time.perf_counter() - start)
    return best


work = json.load(open(sys.argv[1]))
for item in work["trainings"]:
    print(json.dumps({"name": item["name"], "us": measure(**item) * 1e6}), flush=True)
for samples in work["predictions"]:
    print(json.dumps({"name": f"predict {samples}", "us": predict(samples) * 1e6}), flush=True)
