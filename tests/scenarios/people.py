"""People who are scored: made-up applicants of two sexes, and a model that may treat them otherwise."""

import numpy as np
import pyarrow as pa


def people(n: int, seed: int, *, against: float = 0.0, women: float = 0.4) -> pa.Table:
    """Applicants with labels, answers and scores.

    Args:
        n: how many.
        seed: the same one gives the same people.
        against: the share of accepted women whose answer is turned round.
        women: their share of all.
    """
    random = np.random.default_rng(seed)
    sex = np.where(random.random(n) < women, "Female", "Male")
    age, years = random.integers(18, 70, n), random.integers(0, 40, n)
    skill = random.normal(0.02 * years, 1.0)
    score = 1 / (1 + np.exp(-(1.5 * skill + 0.3 * (sex == "Male") - 0.8)))
    hired = random.random(n) < score
    said = score > 0.5
    said &= ~((sex == "Female") & (random.random(n) < against))
    return pa.table(
        {
            "id": [f"p{seed}-{at}" for at in range(n)],
            "sex": sex,
            "age": age,
            "years": years,
            "skill": skill,
            "dept": random.choice(["sales", "lab"], n),
            "hired": np.where(hired, "yes", "no"),
            "said": np.where(said, "yes", "no"),
            "score": score,
        }
    )


ROLES = ("--label", "hired", "--prediction", "said", "--score", "score", "--id", "id")
FACETS = ("--facet", "sex=Female", "--facet", "age=40")
