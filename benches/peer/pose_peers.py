"""What PyTorch users search poses with: a grid as they write it, foolbox's spatial attack and ART's
composite attack. `torch_worker.py` calls these; each returns a function that runs once and tells who is
fooled (or, of `nobody`, the worst losses).

foolbox divides pixels by half the side, where `align_corners` wants half of one less: 3 pixels there are
3·(W−1)/W, so it is given 3·W/(W−1). And it shifts before it rotates: the same grid of numbers is another
set of poses.
"""

import contextlib
import sys

import numpy as np
import torch
import torch.nn.functional as F


def grid_of(case):
    angles = np.linspace(-case["angle"], case["angle"], case["angles"])
    shifts = np.linspace(-case["shift"], case["shift"], 5)
    rows = [(angle, right, down) for angle in angles for right in shifts for down in shifts]
    return torch.tensor(rows, dtype=torch.float32)


def grid(case, classify, sample, images, labels, compiled):
    """Every pose for every image: whoever is fooled stays in the batch."""
    rows = grid_of(case)

    @compiled
    def wrong(row):
        return classify(sample(images, row.expand(len(images), 3))).argmax(1) != labels

    def search():
        with torch.inference_mode():
            fooled = classify(images).argmax(1) != labels
            for row in rows:
                fooled = fooled | wrong(row)
            return fooled.float()

    return search


def nobody(case, classify, sample, images, compiled):
    """The worst loss, away from the predicted class."""
    rows = grid_of(case)
    with torch.inference_mode():
        labels = classify(images).argmax(1).clone()

    @compiled
    def losses(row):
        logits = classify(sample(images, row.expand(len(images), 3)))
        return F.cross_entropy(logits, labels, reduction="none")

    def search():
        with torch.inference_mode():
            worst = losses(rows[0])
            for row in rows[1:]:
                worst = torch.maximum(worst, losses(row))
            return worst

    return search


class Victim(torch.nn.Module):
    """A network as a module, with the device that ART looks for."""

    def __init__(self, classify):
        super().__init__()
        self.classify = classify
        self.unused = torch.nn.Parameter(torch.zeros(()))

    def forward(self, x):
        return self.classify(x)


def foolbox(case, classify, images, labels):
    import foolbox as fb

    side = images.shape[-1]
    model = fb.PyTorchModel(Victim(classify).eval(), bounds=(0, 1), device="cpu")
    attack = fb.attacks.SpatialAttack(
        max_translation=case["shift"] * side / (side - 1), max_rotation=case["angle"],
        num_translations=5, num_rotations=case["angles"], grid_search=True)

    def search():
        with torch.inference_mode():
            *_, fooled = attack(model, images, fb.criteria.Misclassification(labels))
        return fooled.float()

    return search


def composite(case, classify, images, labels):
    """Rotation, then pixels, in that order, each by as many steps; the verdict is that of what comes."""
    from art.attacks.evasion import CompositeAdversarialAttackPyTorch
    from art.estimators.classification import PyTorchClassifier

    victim = PyTorchClassifier(Victim(classify).eval(), torch.nn.CrossEntropyLoss(), (3, 32, 32), 10,
                               clip_values=(0.0, 1.0), device_type="cpu")
    angle, epsilon = float(case["angle"]), float(case["epsilon"])
    attack = CompositeAdversarialAttackPyTorch(
        victim, enabled_attack=(2, 5), rot_epsilon=(-angle, angle), pgd_epsilon=(-epsilon, epsilon),
        attack_order="fixed", max_inner_iter=case["steps"], batch_size=len(images), verbose=False)

    def search():
        torch.manual_seed(0)
        # The answers of the worker go to the standard output.
        with contextlib.redirect_stdout(sys.stderr):
            found = attack.generate(images.numpy(), labels.numpy())
        with torch.inference_mode():
            return (classify(torch.from_numpy(found)).argmax(1) != labels).float()

    return search
