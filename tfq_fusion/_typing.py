"""Arrays of any precision; where it is known, annotations say it, as in ``npt.NDArray[np.float64]``."""

from typing import Any

import numpy as np
import numpy.typing as npt

ComplexArray = npt.NDArray[np.complexfloating[Any, Any]]
FloatArray = npt.NDArray[np.floating[Any]]
IntegerArray = npt.NDArray[np.integer[Any]]
