"""Numbers in sentences that are made below the views."""


def percent(share: float, digits: int = 1) -> str:
    """A share as a percentage, with so many digits right of the point at the most.

    >>> percent(0.0816), percent(0.5), percent(0.4567, 0)
    ('8.2 %', '50 %', '46 %')
    """
    told = f"{100 * share:.{digits}f}"
    return f"{told.rstrip('0').rstrip('.') if '.' in told else told} %"
