"""Who runs: Dask hands runs out, and each goes to a process that can be stopped at any moment or asked to repeat it.

Dask starts workers, shares runs out, and hands out again what a lost worker had. The process that a run gets is ours,
since Dask's own, a nanny with a worker, do less, by its documentation and as far as it was tried:

- A worker cannot stop a task. ``restart_workers`` can, from a client that is alive, and Dask then runs the task again.
  Here a run that hangs, or that nobody waits for, is stopped (``test_survival.py``, ``test_scheduler.py``).
- A worker that dies gives no word of its signal or its last output. Here a run says how its process ended
  (``test_execute.py``).
- A nanny ends a worker that holds too much memory in the middle of a run. Here it is replaced between two.
"""
