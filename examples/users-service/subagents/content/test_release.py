"""The release's needs against what the repository has: the newest migration, and the settings of the environment template."""

from __future__ import annotations

import json
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class ReleaseTest(unittest.TestCase):
    """What deploy/release.json says is needed is there."""

    def setUp(self) -> None:
        self.release = json.loads((ROOT / "deploy" / "release.json").read_text(encoding="utf-8"))

    def test_the_schema_is_that_of_the_newest_migration(self) -> None:
        newest = max((ROOT / "infra" / "migrations").glob("*.sql")).name
        self.assertEqual(self.release["schema"], int(newest.split("_")[0]))

    def test_the_environment_template_has_every_new_setting(self) -> None:
        template = (ROOT / "deploy" / "users-service.env.template").read_text(encoding="utf-8").splitlines()
        for setting in self.release["new-settings"]:
            self.assertTrue(any(line.startswith(f"{setting}=") for line in template), setting)


if __name__ == "__main__":
    unittest.main()
