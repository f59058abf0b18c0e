"""Who are the bank's customers, and which of them fail to pay next month? Invented, in the columns of UCI's dataset."""

from __future__ import annotations

import numpy as np
import pandas as pd

MONTHS = 6
REPAYMENT = ["PAY_0", "PAY_2", "PAY_3", "PAY_4", "PAY_5", "PAY_6"]  # UCI's names: there is no PAY_1
BILLS = [f"BILL_AMT{month}" for month in range(1, MONTHS + 1)]
PAYMENTS = [f"PAY_AMT{month}" for month in range(1, MONTHS + 1)]
FEATURES = ["LIMIT_BAL", "SEX", "EDUCATION", "MARRIAGE", "AGE", *REPAYMENT, *BILLS, *PAYMENTS]
TARGET = "DEFAULT_NEXT_MONTH"

NO_BALANCE, PAID_IN_FULL, REVOLVING = -2, -1, 0


def customers(random: np.random.Generator, count: int) -> pd.DataFrame:
    """So many customers, each with six months of history; every column is a whole number."""
    age = np.clip(21 + random.gamma(2.2, 6.5, count), 21, 79).round()
    limit = np.clip(np.exp(random.normal(11.7 + 0.012 * (age - 35), 0.7)), 10_000, 800_000)
    limit = np.maximum(limit.round(-4), 10_000)
    habit = random.choice([NO_BALANCE, PAID_IN_FULL, REVOLVING], count, p=[0.12, 0.23, 0.65])
    late = _months_late(random, count)
    status = np.where(late > 0, late, habit[:, None])
    bills = _bills(random, limit, habit)
    who = pd.DataFrame({
        "LIMIT_BAL": limit,
        "SEX": random.choice([1, 2], count, p=[0.4, 0.6]),
        "EDUCATION": random.choice([1, 2, 3, 4], count, p=[0.35, 0.47, 0.16, 0.02]),
        "MARRIAGE": np.where(random.random(count) < np.clip((age - 22) / 25, 0.05, 0.75), 1, 2),
        "AGE": age,
    })  # fmt: skip
    history = [
        pd.DataFrame(status, columns=REPAYMENT),
        pd.DataFrame(bills, columns=BILLS),
        pd.DataFrame(_payments(random, bills, habit, late), columns=PAYMENTS),
    ]
    return pd.concat([who, *history], axis=1).astype(np.int64)[FEATURES]


def defaults(random: np.random.Generator, who: pd.DataFrame) -> np.ndarray:
    """1 for each customer who does not pay next month.

    It depends on the latest months late most of all, then on the credit limit, how much of it is used, the months late
    before, what was paid last, and a little on age. On nothing else.
    """
    logit = (
        -2.1
        + 1.25 * np.clip(who["PAY_0"], 0, 3)
        + 0.30 * np.clip(who["PAY_2"], 0, 3)
        - 0.75 * (np.log(who["LIMIT_BAL"]) - 11.7)
        + 1.10 * who["BILL_AMT1"] / who["LIMIT_BAL"]
        - 0.05 * np.log1p(who["PAY_AMT1"])
        + 0.01 * (who["AGE"] - 35)
    )
    return (random.random(len(who)) < 1 / (1 + np.exp(-logit))).astype(np.int64)


def _months_late(random: np.random.Generator, count: int) -> np.ndarray:
    """Months late by customer and month, the latest first; who is late tends to stay so."""
    risk = random.normal(0, 1, count)
    late = np.zeros((count, MONTHS), dtype=np.int64)
    before = np.zeros(count, dtype=np.int64)
    for month in reversed(range(MONTHS)):
        falls_late = random.random(count) < 1 / (1 + np.exp(2.5 - 1.1 * risk))
        stays_late = (before > 0) & (random.random(count) < 0.6)
        before = np.where(stays_late, np.minimum(before + (random.random(count) < 0.4), 8), falls_late.astype(np.int64))
        late[:, month] = before
    return late


def _bills(random: np.random.Generator, limit: np.ndarray, habit: np.ndarray) -> np.ndarray:
    usual = {NO_BALANCE: (0.6, 30.0), PAID_IN_FULL: (1.2, 9.0), REVOLVING: (2.0, 2.2)}
    used = np.empty(len(limit))
    for kind, (a, b) in usual.items():
        used[habit == kind] = random.beta(a, b, int((habit == kind).sum()))
    months = used[:, None] * np.exp(random.normal(0, 0.15, (len(limit), MONTHS)).cumsum(axis=1))
    return (limit[:, None] * np.minimum(months, 1.1)).round()


def _payments(random: np.random.Generator, bills: np.ndarray, habit: np.ndarray, late: np.ndarray) -> np.ndarray:
    share = np.where(habit == REVOLVING, 0.06, 0.95)[:, None] * np.exp(random.normal(0, 0.3, bills.shape))
    return np.where(late > 0, 0, np.minimum(bills * share, bills)).round()
