"""A neural network that its reader owns: torch behind scikit-learn's interface.

`modules` has the network and `training` its loop, both to be read and changed. Importing this
package does not import torch; fitting does.
"""

from lib.neural.estimators import NetworkClassifier, NetworkRegressor

__all__ = ["NetworkClassifier", "NetworkRegressor"]
