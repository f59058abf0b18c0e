"""APScheduler wakes the server, by the machine's clock. What if that is put back?

It would sleep until the time that it had set itself comes again: for an hour more, where the clock lost an hour.
"""

from datetime import datetime

from apscheduler.schedulers.base import BaseScheduler

__all__ = ["wake_oversleepers"]


def wake_oversleepers(clock: BaseScheduler, now: datetime) -> None:
    """Let jobs run at once that are not due within one of their intervals, as they are whenever the clock is right."""
    for job in clock.get_jobs():
        if job.next_run_time and job.next_run_time - now > job.trigger.interval:
            job.modify(next_run_time=now)
