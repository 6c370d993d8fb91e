"""Where the settings come from."""

import unittest

from users_service.settings import SettingsError, load, variables


class SettingsTest(unittest.TestCase):
    """Checks the file and the environment variables that override it."""

    def test_a_variable_overrides_the_file(self) -> None:
        settings = load({"USERS_PORT": "1234", "USERS_MAX_PAGE_SIZE": "5"})
        self.assertEqual((settings.port, settings.limit("max_page_size")), (1234, 5))
        self.assertEqual(settings.host, "127.0.0.1")

    def test_what_is_not_valid_is_refused_by_name(self) -> None:
        for name, value in [("USERS_PORT", "http"), ("USERS_PORT", "70000"), ("USERS_MAX_BODY_BYTES", "0")]:
            with self.subTest(name=name, value=value):
                with self.assertRaisesRegex(SettingsError, name):
                    load({name: value})

    def test_every_setting_has_a_variable(self) -> None:
        self.assertIn("USERS_MAX_BODY_BYTES", variables())
        self.assertIn("USERS_DATABASE", variables())


if __name__ == "__main__":
    unittest.main()
