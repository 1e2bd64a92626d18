"""Bias beside what SageMaker Clarify's open-source engine (smclarify 0.5) makes of the same rows.

The rows are made here; the numbers were computed once with that package, on the same rows.
"""

import numpy as np
import pyarrow as pa
import pytest

import watchkeep as wk

SEX = {
    "CDDL": 0.11103470332128772,
    "CI": 0.33666666666666667,
    "DPL": 0.12440005513853558,
    "JS": 0.007896941832672033,
    "KL": 0.03203518423219444,
    "KS": 0.12440005513853558,
    "LP": 0.17592824513687785,
    "TVD": 0.12440005513853558,
    "AD": 0.014160578453364048,
    "CDDPL": 0.15693126772652632,
    "DAR": 0.06342342342342344,
    "DCA": -0.09027027027027035,
    "DCR": -0.12042710398269962,
    "DI": 0.6807687084068993,
    "DPPL": 0.17673153798919788,
    "DRR": -0.004234997296810206,
    "FT": -0.20603015075376885,
    "GE": 0.09942061143984207,
    "RD": 0.14151840282493544,
    "SD": 0.08332673267326729,
    "TE": 0.38244766505636074,
}
AGE = {
    "CDDL": -0.00028607768150863856,
    "CI": -0.37,
    "DPL": 3.862047657665624e-05,
    "JS": 7.518587881765652e-10,
    "KL": 3.0074418713241647e-09,
    "KS": 3.862047657665624e-05,
    "LP": 5.461760176001969e-05,
    "TVD": 3.862047657665624e-05,
    "AD": 0.03823427181091421,
    "CDDPL": -0.03785559722844207,
    "DAR": 0.061602870813397104,
    "DCA": 0.08253588516746413,
    "DCR": 0.08910891089108919,
    "DI": 1.092153284671533,
    "DPPL": -0.04290734947669261,
    "DRR": -0.00990099009900991,
    "GE": 0.09942061143984207,
    "RD": -0.005161049620693969,
    "SD": -0.07446255201109564,
    "TE": -0.27404718693284935,
}


def people(n: int = 600) -> pa.Table:
    random = np.random.default_rng(2026)
    sex = np.where(random.random(n) < 0.35, "F", "M")
    age, years = random.integers(18, 80, n).astype(float), random.integers(0, 30, n).astype(float)
    department = random.choice(["a", "b", "c"], n, p=[0.5, 0.3, 0.2])
    hired = (random.random(n) < 0.25 + 0.2 * (sex == "M") + 0.004 * years).astype(int)
    said = (random.random(n) < np.where(hired == 1, 0.7, 0.2) + 0.1 * (sex == "M")).astype(int)
    columns = {"sex": sex, "age": age, "years": years, "dept": department, "hired": hired, "said": said}
    return pa.table(columns)


@pytest.mark.parametrize("dialect", ["default", "sagemaker"])
@pytest.mark.parametrize(("subject", "expected"), [("sex=F", SEX), ("age > 40", AGE)])
def test_every_measure_is_what_clarify_computes(
    subject: str, expected: dict[str, float], dialect: str
) -> None:
    rows = wk.read(people(), label="hired", prediction="said", facets={"sex": "F", "age": 40})
    found = wk.Bias(stratum="dept", dialect=dialect).baseline(rows).check(people()).measures

    for name, value in expected.items():
        assert found[name, subject] == pytest.approx(value, abs=1e-12), name
