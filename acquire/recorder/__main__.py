"""``python -m acquire.recorder``: the recorder as a process of its own."""

from acquire.recorder.process import main

raise SystemExit(main())
