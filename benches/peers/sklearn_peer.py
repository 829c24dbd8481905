"""scikit-learn at the trainings that a JSON file lists (it has no dropout); one JSON line each."""
import json
import sys
import time
import warnings

import numpy as np
from sklearn.neural_network import MLPClassifier

warnings.filterwarnings("ignore")


def measure(samples, sizes, batch, rule, **_):
    rng = np.random.default_rng(0)
    x, y = rng.random((samples, sizes[0]), dtype=np.float32), rng.integers(0, sizes[-1], samples)
    model = MLPClassifier(
        hidden_layer_sizes=sizes[1:-1],
        solver="adam" if rule == "adam" else "sgd",
        momentum=0.9,
        nesterovs_momentum=False,
        batch_size=batch,
        max_iter=1,
        warm_start=True,
        learning_rate_init=1e-3,
        alpha=0,
    )
    model.fit(x, y)
    best = float("inf")
    for _ in range(2):
        start = time.perf_counter()
        model.fit(x, y)
        best = min(best, (time.perf_counter() - start) / (samples // batch))
    return best


for item in json.load(open(sys.argv[1]))["trainings"]:
    print(json.dumps({"name": item["name"], "us": measure(**item) * 1e6}), flush=True)
