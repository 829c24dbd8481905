"""JAX (jit, scan over the epoch) at the trainings that a JSON file lists; one JSON line each."""
import json
import os
import sys
import time

os.environ["JAX_PLATFORMS"] = "cpu"
import jax
import jax.numpy as jnp
import numpy as np
import optax


def initial(sizes, rng):
    pairs = zip(sizes, sizes[1:])
    weight = lambda a, b: rng.standard_normal((a, b), dtype=np.float32) * np.float32(np.sqrt(2 / a))
    return [(jnp.asarray(weight(a, b)), jnp.zeros(b)) for a, b in pairs]


def forward(params, x, dropout, key):
    for i, (weight, bias) in enumerate(params):
        x = x @ weight + bias
        if i < len(params) - 1:
            x = jax.nn.relu(x)
            if dropout:
                key, own = jax.random.split(key)
                x = x * jax.random.bernoulli(own, 1 - dropout, x.shape) / (1 - dropout)
    return x


def measure(samples, sizes, batch, rule, dropout, **_):
    rng = np.random.default_rng(0)
    x = jnp.asarray(rng.random((samples, sizes[0]), dtype=np.float32))
    y = jnp.asarray(rng.integers(0, sizes[-1], samples))
    params = initial(sizes, rng)
    tx = optax.adam(1e-3) if rule == "adam" else optax.sgd(0.01, momentum=0.9)
    state, steps = tx.init(params), samples // batch

    def loss(params, x, y, key):
        logits = forward(params, x, dropout, key)
        return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()

    @jax.jit
    def epoch(params, state, key):
        order_key, drop_key = jax.random.split(key)
        order = jax.random.permutation(order_key, samples)[: steps * batch].reshape(steps, batch)

        def step(carry, chosen):
            params, state, key = carry
            key, own = jax.random.split(key)
            value, grads = jax.value_and_grad(loss)(params, x[chosen], y[chosen], own)
            updates, state = tx.update(grads, state, params)
            return (optax.apply_updates(params, updates), state, key), value

        (params, state, _), losses = jax.lax.scan(step, (params, state, drop_key), order)
        return params, state, losses.mean()

    key = jax.random.key(0)
    params, state, _ = jax.block_until_ready(epoch(params, state, key))
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        params, state, _ = jax.block_until_ready(epoch(params, state, key))
        best = min(best, (time.perf_counter() - start) / steps)
    return best


def predict(samples):
    rng = np.random.default_rng(0)
    params = initial([784, 128, 10], rng)
    x = jnp.asarray(rng.random((samples, 784), dtype=np.float32))
    run = jax.jit(lambda params, x: forward(params, x, 0, None))
    jax.block_until_ready(run(params, x))
    best = float("inf")
    for _ in range(200):
        start = time.perf_counter()
        jax.block_until_ready(run(params, x))
        best = min(best, time.perf_counter() - start)
    return best


work = json.load(open(sys.argv[1]))
for item in work["trainings"]:
    print(json.dumps({"name": item["name"], "us": measure(**item) * 1e6}), flush=True)
for samples in work["predictions"]:
    print(json.dumps({"name": f"predict {samples}", "us": predict(samples) * 1e6}), flush=True)
