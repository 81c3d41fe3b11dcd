"""What the tests of the program share."""

import os
import pathlib
import subprocess
import tempfile
import unittest


def mpirun(*words, cwd, ranks=3):
    # Open MPI keeps memory until the process ends, which a leak checker would report.
    environment = dict(os.environ, ASAN_OPTIONS="detect_leaks=0", OMPI_ALLOW_RUN_AS_ROOT="1",
                       OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", OMPI_MCA_rmaps_base_oversubscribe="1",
                       OMPI_MCA_btl_vader_single_copy_mechanism="none")
    return subprocess.run(["mpirun", "-n", str(ranks), os.environ["LORADYN"], *words], env=environment, cwd=cwd,
                          capture_output=True, text=True, timeout=120, check=False)


class InTemporaryDirectory(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.directory.name)

    def tearDown(self):
        self.directory.cleanup()

    def files(self):
        return sorted(p.name for p in self.path.iterdir())
