"""Where results and baselines are kept: Delta tables under one URI, written and read without Spark."""

from engine.store.baselines import ProfileKey, StoredProfile
from engine.store.store import Store

__all__ = ["ProfileKey", "Store", "StoredProfile"]
