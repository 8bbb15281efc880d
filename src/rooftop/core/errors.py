"""One error tree: every message names the culprit, what was found, what was expected and how to mend it."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import get_args

from rooftop.core.lang import Lang, Text, pick, without_controls

_LABELS = {
    "where": Text("where", "位置"),
    "found": Text("found", "实际"),
    "expected": Text("expected", "应为"),
    "kept": Text("kept", "已保留"),
    "mend": Text("mend", "处理"),
}


class RooftopError(Exception):
    """Base of everything `rooftop` raises on purpose.

    Parameters
    ----------
    what : Text or str
        What is wrong, in one sentence.
    where : Text or str, optional
        The culprit: file, field, line, building.
    found, expected : Text or str, optional
        What was there, and what should have been.
    kept : Text or str, optional
        What is not lost.
    mend : Text or str, optional
        What the user can do about it.
    """

    exit_code = 3

    def __init__(
        self,
        what: Text | str,
        *,
        where: Text | str | None = None,
        found: Text | str | None = None,
        expected: Text | str | None = None,
        kept: Text | str | None = None,
        mend: Text | str | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.details: dict[str, Text | str | None] = {
            "where": where,
            "found": found,
            "expected": expected,
            "kept": kept,
            "mend": mend,
        }

    def render(self, lang: Lang = "en") -> str:
        """Return the readable block, one line per part.

        Raises
        ------
        ArgumentError
            The language is neither ``en`` nor ``zh``.
        """
        _check_lang(lang)
        lines = [pick(self.what, lang)]
        for key, value in self.details.items():
            if value is not None:
                lines.append(f"  {_LABELS[key].pick(lang)}: {pick(value, lang)}")
        return without_controls("\n".join(lines))

    def __str__(self) -> str:
        return self.render("en")


class UsageError(RooftopError):
    """The command line asks for something that does not exist."""

    exit_code = 2


class ConfigError(RooftopError):
    """The configuration, or a policy pack, cannot be used as it stands."""

    exit_code = 2


class InputError(RooftopError):
    """An input file is missing, unreadable, or says something that cannot be true."""

    exit_code = 2


class NotInstalledError(RooftopError, ImportError):
    """A package that only the application needs is not installed."""

    exit_code = 2

    @classmethod
    def of_application(cls, part: str, error: ModuleNotFoundError) -> NotInstalledError | None:
        """Return the error of a part that needs the extra ``app``; None if the missing module is our own."""
        package = str(error.name)
        if package.partition(".")[0] == "rooftop":
            return None
        return cls(
            Text("{part} needs the application", "{part} 需要安装应用组件").format(part=part),
            found=Text("{package} is not installed", "未安装 {package}").format(package=package),
            expected=Text("the extra `app` of rooftop", "rooftop 的可选组件 app"),
            mend=Text(
                'pip install ".[app]", in the folder of the repository', '请在本仓库目录下执行 pip install ".[app]"'
            ),
        )


class ArgumentError(InputError, ValueError):
    """An argument of a public function cannot be used as it stands.

    Also a `ValueError`. The message and ``details`` say what is wrong: ``where`` names the argument, ``found`` and
    ``expected`` say what it was and what it may be, ``mend`` what to do. ``render("zh")`` says it in Chinese.

    Examples
    --------
    >>> import rooftop
    >>> try:
    ...     rooftop.ModulePlane(20.0, 180.0, "Rack")
    ... except rooftop.ArgumentError as error:
    ...     print(error.details["where"], error.details["found"], error.details["mend"])
    mounting 'Rack' did you mean rack?
    """


class ChangedError(InputError):
    """An input file became another one while it was read."""


class StorageError(RooftopError):
    """The system does not let the output be written where it should be."""

    exit_code = 2


class ComputeError(RooftopError):
    """The computation broke; the message says what was kept."""

    exit_code = 3


def _check_lang(lang: object) -> None:
    known = get_args(Lang)
    if isinstance(lang, str) and lang in known:
        return
    raise ArgumentError(
        Text("there is no such language", "没有这种语言"),
        where="lang",
        found=repr(lang) if isinstance(lang, str) else type(lang).__name__,
        expected=", ".join(known),
        mend=suggest(did_you_mean(str(lang), known), Text("choose one of these", "请从中选择")),
    )


def did_you_mean(name: str, known: Sequence[str]) -> str | None:
    """Return the known name closest to `name`, or None."""
    lowered = {k.lower(): k for k in reversed(known)}
    if name.lower() in lowered:
        return lowered[name.lower()]
    close = difflib.get_close_matches(name.lower(), list(lowered), n=1, cutoff=0.6)
    return lowered[close[0]] if close else None


def suggest(near: str | None, otherwise: Text) -> Text:
    """Return "did you mean", or another mend where nothing is close."""
    return otherwise if near is None else Text(f"did you mean {near}?", f"是否为 {near}？")
