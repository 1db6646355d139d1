"""A model of PyTorch, trained by a plain loop."""

from __future__ import annotations

import time

import torch

from bench.layers.task import Epochs, Task


def train(task: Task, layer: torch.nn.Module) -> Epochs:
    """Train the model around a layer."""
    encoder = torch.nn.Linear(task.inputs.shape[1], len(task.problem.data_symbols))
    head = torch.nn.Linear(len(task.problem.operators), len(task.weights[-1]))
    model = torch.nn.Sequential(encoder, torch.nn.Tanh(), layer, head)
    kernel, bias, theta, last_kernel, last_bias = map(torch.from_numpy, task.weights)
    with torch.no_grad():
        for parameter, value in zip(model.parameters(), (kernel.T, bias, theta, last_kernel.T, last_bias), strict=True):
            parameter.copy_(value)
    # Keras' default.
    optimizer = torch.optim.Adam(model.parameters(), task.rate, eps=1e-7)
    data = torch.utils.data.TensorDataset(torch.from_numpy(task.inputs), torch.from_numpy(task.labels))
    epochs = Epochs([], [])
    for _ in range(task.epochs):
        total = 0.0
        for inputs, labels in torch.utils.data.DataLoader(data, task.batch_size):
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(inputs), labels)
            loss.backward()
            optimizer.step()
            total += len(labels) * loss.item()
        epochs.ends.append(time.perf_counter())
        epochs.losses.append(total / len(data))
    return epochs
