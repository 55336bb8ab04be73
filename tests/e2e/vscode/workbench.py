"""VS Code as a person uses it: files, the Problems panel, quick fixes, commands."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

PATIENCE = 60_000  # milliseconds


class Workbench:
    """One window.

    Args:
        page: a page on which VS Code is being loaded.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        page.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        self._wait()

    def _wait(self) -> None:
        self.page.wait_for_selector(".monaco-workbench .part.statusbar .statusbar-item")

    def reload(self) -> None:
        """Closes the window and opens it again."""
        self.page.reload()
        self._wait()

    def open(self, name: str) -> None:
        """Opens a file of the folder."""
        self._pick("Control+P", name, name)
        self.page.wait_for_selector(f'.tab.active[data-resource-name="{name}"]')

    def run(self, command: str) -> None:
        """Runs a command of the palette by its title."""
        self._pick("F1", f">{command}", command)

    def _pick(self, key: str, text: str, choice: str) -> None:
        self.page.keyboard.press(key)
        self.page.locator(".quick-input-widget input").fill(text)
        expect(self.page.locator(".quick-input-list .monaco-list-row.focused")).to_contain_text(choice)
        # Not a click: its second half would hit, and close, what the choice opens.
        self.page.keyboard.press("Enter")

    def show_problems(self) -> None:
        self.run("Problems: Focus on Problems View")

    def problem(self, text: str | re.Pattern) -> Locator:
        """The rows of the Problems panel that hold a text."""
        return self.page.locator(".markers-panel .monaco-list-row", has_text=text)

    def squiggles(self, severity: str) -> Locator:
        """What is underlined in the editor: `error`, `warning`, `info` or `hint`."""
        return self.page.locator(f".squiggly-{severity}")

    def quick_fix(self, problem: str, title: str) -> None:
        """Goes to a problem and takes the fix `title` from the editor's menu of quick fixes."""
        self.problem(problem).first.dblclick()
        self.page.locator(".monaco-editor.focused").wait_for()
        self.page.keyboard.press("Control+Period")
        self.page.locator(".action-widget .monaco-list-row", has_text=title).first.click()

    def save(self) -> None:
        """Saves the changed file in front."""
        self.page.wait_for_selector(".tab.active.dirty")
        self.page.keyboard.press("Control+S")
        self.page.wait_for_selector(".tab.active:not(.dirty)")

    def language_status(self, text: str) -> None:
        """Waits until the language status (`{}`) says something with this text, and opens it."""
        item = self.page.locator('[id="status.languageStatus"] a')
        expect(item).to_have_attribute("aria-label", re.compile(re.escape(text)))
        item.click()
        expect(self.page.locator(".hover-language-status").first).to_contain_text(text)

    def notifications(self) -> Locator:
        """What was told in pop-ups: they hide after a while, their list stays open unless it becomes empty."""
        self.run("Notifications: Show Notifications")
        return self.page.locator(".notifications-center .notification-list-item")
