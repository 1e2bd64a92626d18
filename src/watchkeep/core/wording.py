"""Numbers in sentences that are made below the views."""


def percent(share: float, digits: int = 1) -> str:
    """A share as a percentage, with so many digits right of the point at the most.

    >>> percent(0.0816), percent(0.5), percent(0.4567, 0)
    ('8.2 %', '50 %', '46 %')
    """
    told = f"{100 * share:.{digits}f}"
    return f"{told.rstrip('0').rstrip('.') if '.' in told else told} %"


def counted(n: int, noun: str) -> str:
    """A count and its noun in the right number.

    >>> counted(1, "row"), counted(1200, "row"), counted(2, "body")
    ('1 row', '1,200 rows', '2 bodies')
    """
    plural = f"{noun[:-1]}ies" if noun.endswith("dy") else f"{noun}s"
    return f"{n:,} {noun if n == 1 else plural}"
