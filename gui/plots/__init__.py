"""Drawing of signals; the only importer of pyqtgraph."""
