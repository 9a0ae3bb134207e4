"""Read one trial's HDF5 file into a dictionary of arrays; h5py alone is needed."""

import h5py


def load_trial(path):
    def read(node):
        if isinstance(node, h5py.Group):
            return {name: read(node[name]) for name in node}
        return node.asstr()[()] if node.dtype.kind in "OS" else node[()]

    with h5py.File(path, "r") as file:
        return read(file) | {"about": dict(file.attrs)}
