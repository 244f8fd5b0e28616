"""Table 1 of HyperDistill (Xiong et al., ICML 2024): published sizes and FLOPs beside those counted in `cost.py`."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from hd_training.cost import ENVIRONMENTS, FLAT, VARIABLE, Cost, Matrix, generation, methods

UNIT = 0.01  # last printed digit of the published table [M]

# Published values in millions: sizes, then FLOPs per control step, each for flat, variable terrain and obstacles.
PUBLISHED = {
    "HyperDistill": ((0.12, 0.30, 0.30), (0.25, 0.60, 0.60)),
    "multi-robot MLP": ((0.23, 0.41, 0.41), (0.46, 0.82, 0.82)),
    "ModuMorph oracle": ((1.73, 1.97, 2.02), (39.86, 40.33, 40.43)),
    "ModuMorph compressed": ((0.15, 0.39, 0.44), (1.78, 2.26, 2.35)),
    "transformer compressed": ((0.14, 0.31, 0.32), (3.39, 5.51, 5.61)),
}
PUBLISHED_GENERATION = (43.0, 65.0)  # FLOPs of one run of the hypernetwork: flat terrain, the two others [M]

RULES = {
    "HyperDistill": "generated MLP over 17 numbers per limb: input, hidden and output matrices, no biases",
    "multi-robot MLP": "MLP over all 52 numbers per limb, no biases",
    "ModuMorph oracle": "5 layers, feed-forward 1024; embedding and decoder once per limb; query, key and scores count "
    "although the body fixes them; size with the layers' biases and three norms each",
    "ModuMorph compressed": "1 layer, feed-forward 128; embedding and decoder once per limb; attention is stored, so "
    "query, key and scores count neither in size nor in FLOPs; size with the layer's other biases and two norms",
    "transformer compressed": "1 layer, feed-forward 256 (terrain: 2 layers, 128); one embedding and decoder for all "
    "limbs; size with the layers' biases and two norms each",
}


@dataclass(frozen=True)
class Cell:
    """One number of the table."""

    method: str
    environment: str
    quantity: str  # "size" or "FLOPs"
    published: float  # [M]
    ours: float  # [M]
    rule: str  # in words
    terms: str  # the sum that was computed

    @property
    def agrees(self) -> bool:
        """Whether ours is within one unit of the last published digit."""
        return abs(self.ours - self.published) < UNIT

    def to_dict(self) -> dict:
        """Plain dictionary for JSON."""
        return asdict(self) | {"agrees": self.agrees}


def size_terms(cost: Cost) -> str:
    """The size as a sum of stored matrices, `copies x (inputs x outputs)`."""
    rest = cost.size - cost.weights
    terms = _sum([(m, m.copies) for m in cost.matrices])
    return terms + (f" + {rest} biases and norms" if rest else "")


def flop_terms(cost: Cost) -> str:
    """The FLOPs as twice a sum of products, `uses x (inputs x outputs)`."""
    return f"2·({_sum([(m, m.uses) for m in cost.matrices])})"


def _sum(pairs: list[tuple[Matrix, int]]) -> str:
    counts: dict[tuple[int, int], int] = {}
    for matrix, count in pairs:
        if count:
            shape = (matrix.inputs, matrix.outputs)
            counts[shape] = counts.get(shape, 0) + count
    return " + ".join((f"{n}·" if n > 1 else "") + f"{rows}·{columns}" for (rows, columns), n in counts.items())


def table() -> list[Cell]:
    """The 30 cells: five methods, three environments, size and FLOPs."""
    cells = []
    for index, environment in enumerate(ENVIRONMENTS):
        for method, cost in methods(environment).items():
            sizes, flops = PUBLISHED[method]
            names = (method, environment.name)
            cells.append(Cell(*names, "size", sizes[index], cost.size / 1e6, RULES[method], size_terms(cost)))
            cells.append(Cell(*names, "FLOPs", flops[index], cost.flops / 1e6, RULES[method], flop_terms(cost)))
    return cells


def generation_rows() -> list[dict]:
    """Cost of running the hypernetwork once: flat terrain, and the deeper policy of the two others [M]."""
    rows = []
    for environment, name, published in zip(
        (FLAT, VARIABLE), ("flat", "variable terrain, obstacles"), PUBLISHED_GENERATION, strict=True
    ):
        cost = generation(environment)
        rows.append(
            {
                "environment": name,
                "published_flops": published,
                "flops": cost.flops / 1e6,
                "parameters": cost.size / 1e6,
                "terms": flop_terms(cost),
            }
        )
    return rows


def ratios() -> dict[str, tuple[float, float]]:
    """How many times smaller, and fewer FLOPs, HyperDistill is than the ModuMorph oracle, by environment."""
    found = {}
    for environment in ENVIRONMENTS:
        costs = methods(environment)
        oracle, student = costs["ModuMorph oracle"], costs["HyperDistill"]
        found[environment.name] = (oracle.size / student.size, oracle.flops / student.flops)
    return found
