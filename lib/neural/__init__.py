"""A neural network that its reader owns: torch behind scikit-learn's interface.

`modules` has the network and `training` its loop, both to be read and changed. Importing this
package does not import torch; fitting does.
"""

from lib.neural.estimators import NetworkClassifier, NetworkRegressor
from lib.neural.experiment import NeuralNetworkExperiment
from lib.neural.files import load_network, save_network
from lib.neural.study import Runs, loss_label, networks, tabulate_seeds, train_from_seeds

__all__ = [
    "NetworkClassifier",
    "NetworkRegressor",
    "NeuralNetworkExperiment",
    "Runs",
    "load_network",
    "loss_label",
    "networks",
    "save_network",
    "tabulate_seeds",
    "train_from_seeds",
]
