"""VS Code as a person uses it: files, the Problems panel, quick fixes, commands and their questions."""

from __future__ import annotations

import re

from playwright.sync_api import FrameLocator, Locator, Page, expect

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

    def explore(self, name: str, shown_as: str) -> None:
        """Opens a file from the explorer; its tab may have another name."""
        self.page.get_by_role("treeitem", name=name).first.dblclick()
        self.page.wait_for_selector(f'.tab.active[data-resource-name="{shown_as}"]')

    def run(self, command: str) -> None:
        """Runs a command of the palette by its title."""
        self._pick("F1", f">{command}", command)

    def _pick(self, key: str | None, text: str, choice: str) -> None:
        if key:
            self.page.keyboard.press(key)
        self.page.locator(".quick-input-widget input").fill(text)
        expect(self.page.locator(".quick-input-list .monaco-list-row.focused")).to_contain_text(choice)
        # Not a click: its second half would hit, and close, what the choice opens.
        self.page.keyboard.press("Enter")

    def choose(self, question: str, choice: str) -> None:
        """Answers a question of a command with one of the choices that it lists."""
        self._asked(question)
        self._pick(None, choice, choice)

    def choice(self, text: str) -> Locator:
        """The choices with a text."""
        return self.page.locator(".quick-input-list .monaco-list-row", has_text=text)

    def check(self, question: str, *choices: str) -> None:
        """Answers a question by checking some of its choices, besides those that are checked."""
        self._asked(question)
        for choice in choices:
            self.choice(choice).click()
        self.page.locator(".quick-input-widget").get_by_role("button", name="OK").click()

    def type(self, question: str, text: str) -> None:
        """Answers a question with a text."""
        self._asked(question)
        self.page.locator(".quick-input-widget input[type=text]").fill(text)
        self.page.keyboard.press("Enter")

    def save_as(self, question: str, path: str) -> None:
        """Answers a dialog that asks for a file, once it has listed the folder that it proposes."""
        self._asked(question)
        self.choice("..").first.wait_for()
        self.type(question, path)

    def _asked(self, question: str) -> None:
        expect(self.page.locator(".quick-input-title")).to_contain_text(question)

    def context_menu(self, file: str, submenu: str, command: str) -> None:
        """Runs a command of a file's context menu in the explorer."""
        self.page.get_by_role("treeitem", name=file).click(button="right")
        self.page.locator(".monaco-menu").get_by_text(submenu, exact=True).hover()
        item = self.page.locator(".monaco-menu").get_by_role("menuitem", name=command, exact=True)
        item.click(delay=300)  # a menu takes no click in its first moment: it would be the one that opened it

    def progress(self, title: str) -> Locator:
        """The notification of something that is going on."""
        return self.page.locator(".notification-toast", has_text=title)

    def webview(self) -> FrameLocator:
        """The page in front."""
        return self.page.locator(".webview").content_frame.locator("iframe").content_frame

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

    def light_bulb(self, problem: str, title: str) -> None:
        """Goes to a problem in a read-only text and takes the fix `title` from the light bulb: no key opens its menu."""
        self.problem(problem).first.dblclick()
        self.page.locator('.monaco-editor [class*="lightbulb"]').first.click()
        self.page.locator(".action-widget .monaco-list-row", has_text=title).first.click()

    def line(self, text: str) -> Locator:
        """The line of the editor that holds a text."""
        return self.page.locator(".monaco-editor .view-line", has_text=text)

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
