"""Who runs: Dask hands runs out, and each goes to a process that can be stopped at any moment or asked to repeat it.

Dask's own processes, nannies with a worker each, do not do what these do; that was tried, and tests hold it:

- A worker cannot stop a task. ``restart_workers`` can, from a client that is alive; Dask then runs the task again and
  does not say that it hung. A command that was killed leaves its runs going on a cluster that stays
  (``test_survival.py``, ``test_scheduler.py``).
- A worker that dies is told as ``KilledWorker``, after the deaths that the scheduler allows, without the signal and the
  last words of the process (``test_execute.py``).
- A nanny ends a worker that holds too much memory in the middle of a run, not between two.

What Dask does have is used: it starts workers, shares runs out, and hands out again what a lost worker had.
"""
