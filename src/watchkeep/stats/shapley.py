"""Shapley values of a game from the worth of some coalitions: all of them, permutations, or Kernel SHAP's.

A game of M players gives each coalition S a worth v(S). Player j gets the mean of v(S + j) - v(S) over all orders in
which the players may come: phi_j = sum over S without j of v(S + j) - v(S), over M C(M - 1, |S|). What the players
get adds up to v(all) - v(none). A design says whose worth is asked, once for many games, and then divides it.
"""

from dataclasses import dataclass, field
from itertools import combinations
from math import comb
from typing import Final, Literal, Protocol, Self, get_args

import numpy as np
import numpy.typing as npt

from watchkeep.core.errors import OptionError

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]

Method = Literal["kernel", "permutation"]
METHODS: Final[tuple[str, ...]] = get_args(Method)
_KEPT: Final = 64  # systems of equations that are kept, one for each set of players without effect
_DRAWN: Final = 4  # times as many draws as there is room for: some come twice


class Design(Protocol):
    """Whose worth is asked, and what follows of it."""

    @property
    def coalitions(self) -> Mask:
        """Who belongs to each coalition, shape (coalitions, players): none twice, never nobody, never all."""
        ...

    def divide(
        self, worth: Doubles, *, nobody: float, everybody: float, idle: Mask
    ) -> tuple[Doubles, Doubles]:
        """What each player gets, and its standard error; both of shape (players,).

        The same numbers give the same result to the bit, whatever else has been divided.

        Args:
            worth: of each coalition, shape (coalitions,).
            nobody, everybody: the worth of the two coalitions that are not among them.
            idle: players known to change nothing, who get exactly 0; shape (players,).
        """
        ...


def usual_samples(players: int) -> int:
    """How many coalitions are asked unless told: min(2 M + 2048, 2^M - 2), as SageMaker Clarify documents.

    >>> usual_samples(10), usual_samples(20)
    (1022, 2088)
    """
    return min(2 * players + 2048, _all(players))


def fewest_samples(players: int, method: Method) -> int:
    """With how many coalitions a method can do: 2 (M - 1) for a pair of permutations, 4 M for the kernel.

    >>> fewest_samples(12, "permutation"), fewest_samples(12, "kernel"), fewest_samples(3, "kernel")
    (22, 48, 6)
    """
    return min(_all(players), 2 * players - 2 if method == "permutation" else 4 * players)


def design(players: int, *, method: Method, samples: int | None = None, seed: int = 0) -> Design:
    """Which coalitions to ask, at most `samples` of them: all if they are no more.

    Args:
        players: M, >= 1.
        method: how the coalitions are chosen where they are not all asked.
        samples: `usual_samples` if None.
        seed: of what is drawn, >= 0; the same design for the same seed.

    Raises:
        OptionError: these are fewer samples than `fewest_samples`.

    >>> design(4, method="permutation").coalitions.shape
    (14, 4)
    """
    asked = usual_samples(players) if samples is None else samples
    if asked >= _all(players):
        return Enumerated.of(players)
    fewest = fewest_samples(players, method)
    if asked < fewest:
        raise OptionError(
            "samples", got=str(asked), expected=f"{fewest} or more for {players} features by {method}"
        )
    kind = Permuted if method == "permutation" else Kernel
    return kind.of(players, asked, np.random.default_rng(seed))


@dataclass(frozen=True, slots=True, eq=False)
class Enumerated:
    """All 2^M - 2 coalitions: the Shapley values themselves, with errors of 0.

    Args:
        coalitions: see `Design`.
        weights: of the worth of each coalition, then of all players, in what each gets; shape (players,
            coalitions + 1). The coalition of nobody is worth 0.

    References:
        Shapley (1953), Contributions to the Theory of Games 2, 307-317.

    >>> of_two = Enumerated.of(2)
    >>> of_two.coalitions.tolist()
    [[True, False], [False, True]]
    >>> of_two.divide(np.array([1.0, 3.0]), nobody=0.0, everybody=6.0, idle=np.zeros(2, bool))[0].tolist()
    [2.0, 4.0]
    """

    coalitions: Mask
    weights: Doubles

    @classmethod
    def of(cls, players: int) -> Self:
        """The design of so many players."""
        numbers = np.arange(1, 2**players)
        members = (numbers[:, None] >> np.arange(players) & 1).astype(np.bool_)
        sizes = members.sum(axis=1)
        share = np.array([1.0 / (players * comb(players - 1, size)) for size in range(players)] + [0.0])
        weights = np.where(members, share[sizes - 1, None], -share[sizes, None])
        return cls(members[:-1], np.ascontiguousarray(weights.T))

    def divide(
        self, worth: Doubles, *, nobody: float, everybody: float, idle: Mask
    ) -> tuple[Doubles, Doubles]:
        """See `Design.divide`."""
        shares = self.weights @ (np.append(worth, everybody) - nobody)
        return np.where(idle, 0.0, shares), np.zeros(len(idle))


@dataclass(frozen=True, slots=True, eq=False)
class Permuted:
    """Orders drawn at random, each together with its reverse: phi is the mean of what each player adds when it comes.

    What is added along an order telescopes to v(all) - v(none). An order and its reverse err in opposite directions
    where players work in pairs: of games without greater parties, one pair is exact. The error is the standard
    deviation over pairs by the root of their number; of a single pair, over its two orders as if independent.

    Args:
        coalitions: see `Design`; a coalition that several orders pass is asked once.
        places: which coalitions an order passes, shape (2 pairs, players - 1): the orders, then their reverses.
        ranks: when each player comes, shape (2 pairs, players).

    References:
        Castro, Gómez and Tejada (2009), Computers and Operations Research 36, 1726-1730; Mitchell, Cooper, Frank and
        Holmes (2022), JMLR 23 (antithetic orders).

    >>> drawn = Permuted.of(3, 4, np.random.default_rng(0))
    >>> worth = drawn.coalitions @ np.array([1.0, 2.0, 4.0])
    >>> drawn.divide(worth, nobody=0.0, everybody=7.0, idle=np.zeros(3, bool))[0].tolist()
    [1.0, 2.0, 4.0]
    """

    coalitions: Mask
    places: Ints
    ranks: Ints

    @classmethod
    def of(cls, players: int, samples: int, rng: np.random.Generator) -> Self:
        """As many pairs of orders as pass at most so many coalitions."""
        pairs = samples // (2 * players - 2)
        forth = rng.random((pairs, players)).argsort(axis=1).argsort(axis=1)
        ranks = np.concatenate([forth, players - 1 - forth])
        passed = ranks[:, None, :] < np.arange(1, players)[:, None]
        members = passed.reshape(-1, players)
        first, which = _distinct(members)
        return cls(members[first], which.reshape(len(ranks), players - 1), ranks)

    def divide(
        self, worth: Doubles, *, nobody: float, everybody: float, idle: Mask
    ) -> tuple[Doubles, Doubles]:
        """See `Design.divide`."""
        steps = np.empty((len(self.places), len(idle) + 1))
        steps[:, 0], steps[:, -1] = nobody, everybody
        steps[:, 1:-1] = worth[self.places]
        added = np.take_along_axis(np.diff(steps, axis=1), self.ranks, axis=1)
        pairs = len(added) // 2
        runs = (added[:pairs] + added[pairs:]) / 2 if pairs > 1 else added
        error = runs.std(axis=0, ddof=1) / len(runs) ** 0.5
        return np.where(idle, 0.0, runs.mean(axis=0)), np.where(idle, 0.0, error)


@dataclass(frozen=True, slots=True, eq=False)
class Kernel:
    """Kernel SHAP: the phi that add up and fit the coalitions best, in weighted least squares.

    phi minimises sum_S w(S) (v(S) - v(none) - sum_{j in S} phi_j)^2, w(S) = (M - 1) / (C(M, |S|) |S| (M - |S|)),
    subject to sum phi = v(all) - v(none). Small coalitions and their complements are all asked while there is room
    for a whole size, beginning with single players; of the rest pairs of a coalition and its complement are drawn by
    weight, and those drawn twice count twice. Players without effect are left out of the equations.

    The error is that of the estimating equations over the drawn pairs (a "sandwich"): the deviation of
    H z (e(S) - e(not S)) / 2 times the weight of what is drawn, where e are residuals, z the members and H the
    constrained inverse, by the root of the number of draws. Coalitions that are all asked add none. With 4 M
    coalitions it tends to be too large by a half, with more it is what repeated draws show.

    Args:
        coalitions: see `Design`; the last 2 `drawn` are pairs drawn, first one half of each, then the complements.
        weights: of each coalition; they add up to 1.
        counts: how often each pair was drawn, shape (drawn,).
        left: the weight of all drawn together, in (0, 1).

    References:
        Lundberg and Lee (2017), NeurIPS, "A unified approach to interpreting model predictions"; Covert and Lee (2021),
        AISTATS, "Improving KernelSHAP" (paired draws, errors).
    Conventions:
        The `shap` library draws the same way, and may select few features first (its l1_reg); here all are kept.

    >>> drawn = Kernel.of(6, 24, np.random.default_rng(0))
    >>> worth = drawn.coalitions @ np.arange(1.0, 7.0)
    >>> phi, error = drawn.divide(worth, nobody=0.0, everybody=21.0, idle=np.zeros(6, bool))
    >>> phi.round(9).tolist(), bool(error.max() < 1e-9)
    ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], True)
    """

    coalitions: Mask
    weights: Doubles
    counts: Doubles
    left: float
    _solved: dict[bytes, tuple[Doubles, Doubles, Doubles]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, players: int, samples: int, rng: np.random.Generator) -> Self:
        """At most so many coalitions: 4 M of them or more, and fewer than all."""
        sizes = np.arange(1, players // 2 + 1)
        paired = np.where(2 * sizes == players, 1, 2)  # the middle size is its own complement
        mass = paired / (sizes * (players - sizes))
        mass /= mass.sum()
        fixed, fixed_weights, room = [], [], samples
        for size in sizes:
            held = int(paired[size - 1]) * comb(players, int(size))
            if size > 1 and room * mass[size - 1] / mass[size - 1 :].sum() < held:
                break
            fixed.append(_of_size(players, int(size)))
            fixed_weights.append(np.full(held, mass[size - 1] / held))
            room -= held
        done = len(fixed)
        left = float(mass[done:].sum())
        chosen = rng.choice(sizes[done:], size=_DRAWN * (room // 2), p=mass[done:] / left)
        members = rng.random((len(chosen), players)).argsort(axis=1).argsort(axis=1) < chosen[:, None]
        members ^= ((2 * chosen == players) & ~members[:, 0])[
            :, None
        ]  # one of two names for a pair of halves
        pairs, counts = _drawn(members, room // 2)
        drawn = np.tile(left * counts / counts.sum() / 2, 2)
        coalitions = np.concatenate([*fixed, pairs, ~pairs])
        return cls(coalitions, np.concatenate([*fixed_weights, drawn]), counts, left)

    def divide(
        self, worth: Doubles, *, nobody: float, everybody: float, idle: Mask
    ) -> tuple[Doubles, Doubles]:
        """See `Design.divide`."""
        if idle.all():
            return np.zeros(len(idle)), np.zeros(len(idle))
        fit, total, pull = self._equations(idle)
        phi = fit @ (worth - nobody) + total * (everybody - nobody)
        drawn = len(self.counts)
        half, other = worth[-2 * drawn : -drawn], worth[-drawn:]
        signs = 2.0 * self.coalitions[-2 * drawn : -drawn] - 1.0
        residual = half - other - signs @ phi
        draws = self.counts.sum()
        moved = pull * (residual * self.left / 2)
        spread = (moved - (moved @ self.counts / draws)[:, None]) ** 2 @ self.counts
        free = max(1.0, draws - np.count_nonzero(~idle))
        return phi, np.sqrt(spread / (draws * free))

    def _equations(self, idle: Mask) -> tuple[Doubles, Doubles, Doubles]:
        """How phi follows of the worths and of their total, and how a drawn pair's residual moves it.

        Shapes (players, coalitions), (players,) and (players, drawn). The rows of idle players are 0.
        """
        key = idle.tobytes()
        if key not in self._solved:
            if len(self._solved) >= _KEPT:
                self._solved.clear()
            members = self.coalitions[:, ~idle].astype(np.float64)
            inverse = np.linalg.inv(members.T @ (members * self.weights[:, None]))
            sums = inverse.sum(axis=1)
            constrained = inverse - np.outer(sums, sums) / sums.sum()
            fit, total, pull = (
                np.zeros((len(idle), *shape)) for shape in ((len(members),), (), (len(self.counts),))
            )
            reach = constrained @ members.T
            drawn = len(self.counts)
            fit[~idle], total[~idle] = reach * self.weights, sums / sums.sum()
            pull[~idle] = reach[:, -2 * drawn : -drawn]
            self._solved[key] = fit, total, pull
        return self._solved[key]


def _all(players: int) -> int:
    """How many coalitions there are of some players, but not of all."""
    return (1 << players) - 2


def _of_size(players: int, size: int) -> Mask:
    """All coalitions of a size and, of another one, their complements."""
    from_all = np.array(list(combinations(range(players), size)), dtype=np.intp)
    members = np.zeros((len(from_all), players), dtype=np.bool_)
    np.put_along_axis(members, from_all, values=True, axis=1)
    return members if 2 * size == players else np.concatenate([members, ~members])


def _drawn(members: Mask, room: int) -> tuple[Mask, Doubles]:
    """The different ones among those drawn before one would be too many, and how often each came."""
    first, which = _distinct(members)
    if len(first) > room:
        members = members[: np.sort(first)[room]]
        first, which = _distinct(members)
    return members[first], np.bincount(which, minlength=len(first)).astype(np.float64)


def _distinct(members: Mask) -> tuple[Ints, Ints]:
    """Where each different coalition comes first, and which of these each one is."""
    packed = np.packbits(members, axis=1)
    keys = packed.view(f"S{packed.shape[1]}").ravel()
    _, first, which = np.unique(keys, return_index=True, return_inverse=True)
    return first, which
