"""What the tests of the program share."""

import pathlib
import tempfile
import unittest


class InTemporaryDirectory(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.directory.name)

    def tearDown(self):
        self.directory.cleanup()

    def files(self):
        return sorted(p.name for p in self.path.iterdir())
