"""A configuration file: read, checked against its model, its first mistake explained with its line."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from rooftop.config import Config, ImpossibleError
from rooftop.core.errors import ArgumentError, ConfigError, InputError, UsageError
from rooftop.core.lang import Text
from rooftop.core.yamlfile import KeyPath, YamlDocument, load_yaml, require_mapping

ModelT = TypeVar("ModelT", bound=BaseModel)
_Parts = tuple[Text, Text | str, Text | str, Text]  # what is wrong, found, expected, mend


def load_config(path: Path | str) -> Config:
    """Load and check a configuration file.

    Parameters
    ----------
    path : Path or str
        YAML file. Relative paths in it start at its folder; files are not opened.

    Returns
    -------
    Config
        With absolute paths.

    Raises
    ------
    ConfigError
        The file is missing or no YAML, a key is unknown, missing or has an impossible value: with its line.
    """
    document = load_yaml(Path(path))
    config = validate(Config, document)
    base = Path(path).resolve().parent
    resolved = _resolve(config, base)
    system = resolved.system.model_copy(update={"module": _named_or_path(resolved.system.module, base)})
    policy = None if resolved.policy is None else _named_or_path(resolved.policy, base)
    return resolved.model_copy(update={"system": system, "policy": policy})


def validate(model: type[ModelT], document: YamlDocument) -> ModelT:
    """Check a YAML document against a pydantic model.

    Raises
    ------
    ConfigError
        Names the first wrong key, its line, what was found and expected; further ones are listed.
    """
    try:
        return model.model_validate(require_mapping(document))
    except ValidationError as error:
        raise _explain(model, document, error) from error


def checked_config(config: Config) -> Config:
    """Return a configuration made or changed in memory, whose copies pydantic does not check, once it is.

    Raises
    ------
    ArgumentError
        Names the first key with an impossible value.
    """
    try:
        return Config.model_validate(config.model_dump(warnings=False))
    except ValidationError as error:
        details = error.errors(include_url=False)[0]
        what, found, expected, mend = _describe(Config, details["loc"], details)
        where = f"config.{written_key(details['loc'])}"
        raise ArgumentError(what, where=where, found=found, expected=expected, mend=mend) from error


@contextmanager
def naming_lines(path: Path | str) -> Iterator[None]:
    """Add file and line to errors about a key of a configuration that is found wrong once data are read.

    Parameters
    ----------
    path : Path or str
        The configuration file; an error whose `where` is no key of it passes unchanged.
    """
    try:
        yield
    except (ConfigError, InputError, UsageError) as error:
        key = error.details["where"]
        if isinstance(key, str):
            document = load_yaml(Path(path))
            at = tuple(int(part) if part.isdigit() else part for part in re.findall(r"[^.\[\]]+", key))
            line = document.line(_path_in_file(document, at))
            if line is not None:
                error.details["where"] = key_in_file(key, document, line)
        raise


def _path_in_file(document: YamlDocument, at: KeyPath) -> KeyPath:
    """Return the path with parts as the file has them: a key made of digits may be text."""
    out: KeyPath = ()
    for part in at:
        out = (*out, part) if (*out, part) in document.lines else (*out, str(part))
    return out


def written_key(path: KeyPath) -> str:
    """Return the path of a key as people write it: ``targets[0].value``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")


def key_in_file(key: str, document: YamlDocument, line: int | None) -> Text:
    """Return a key with its file, and its line where that is known."""
    return Text(
        f"{key} ({document.path}{f', line {line}' if line else ''})",
        f"{key}（{document.path}{f' 第 {line} 行' if line else ''}）",
    )


def _named_or_path(name: str, base: Path) -> str:
    """Return a name as it is, and a path to a YAML file as absolute."""
    return str(_absolute(Path(name), base)) if _is_path(name) else name


def _is_path(name: str) -> bool:
    return name.lower().endswith((".yaml", ".yml"))


def _absolute(path: Path, base: Path) -> Path:
    """Return `path` as seen from `base`; backslashes of a file written on Windows are understood."""
    with suppress(RuntimeError):  # ~name of nobody here is a name
        path = path.expanduser()
    full = path if path.is_absolute() else base / path
    if "\\" in str(path) and not os.path.exists(full):
        full = base / str(path).replace("\\", "/")
    return Path(full)


def _resolve(model: ModelT, base: Path) -> ModelT:
    """Return the model with every path made absolute."""
    changed: dict[str, Any] = {}
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            changed[name] = _resolve(value, base)
        elif isinstance(value, Path):
            changed[name] = _absolute(value, base)
        elif isinstance(value, list) and any(isinstance(item, Path) for item in value):
            changed[name] = [_absolute(item, base) if isinstance(item, Path) else item for item in value]
    return model.model_copy(update=changed)


def input_paths(config: Config) -> list[Path]:
    """Return every file and folder that a configuration names, its own policy pack and module included."""
    named = [Path(name) for name in (config.policy, config.system.module) if name is not None and _is_path(name)]
    return [*_paths_under(config), *named]


def _paths_under(model: BaseModel) -> list[Path]:
    paths: list[Path] = []
    for name in type(model).model_fields:
        value = getattr(model, name)
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, BaseModel):
                paths += _paths_under(item)
            elif isinstance(item, Path):
                paths.append(item)
    return paths


_EXPECTED = {
    "string_too_short": Text("text that is not empty", "非空文本"),
    "string_pattern_mismatch": Text("text of the form {pattern}", "符合 {pattern} 的文本"),
    "too_short": Text("at least one entry", "至少一项"),
    "string": Text("text (in quotes if it looks like a number)", "文本（若形似数字请加引号）"),
    "float": Text("a number", "数值"),
    "int": Text("a whole number", "整数"),
    "bool": Text("true or false", "true 或 false"),
    "path": Text("a file path", "文件路径"),
    "model": Text("a block of keys", "一组键值"),
    "dict": Text("a block of keys", "一组键值"),
    "list": Text("a list", "列表"),
}


def _explain(model: type[BaseModel], document: YamlDocument, error: ValidationError) -> ConfigError:
    problems = _in_order(document, error.errors(include_url=False))
    path, details = problems[0]
    line = document.line(path)
    key = written_key(path)
    others = [k for k in dict.fromkeys(written_key(p) for p, _ in problems) if k != key]
    what, found, expected, mend = _describe(model, path, details)
    expectations = [
        expected,
        *(_describe(model, p, e)[2] for p, e in problems if p == path and e["loc"] != details["loc"]),
    ]
    if len(expectations) > 1:  # a value of several kinds: none of them fits
        expected = Text.join(dict.fromkeys(expectations), en=", or ", zh="，或 ")
    if others:
        more = ", ".join(others[:5]) + (" ..." if len(others) > 5 else "")
        mend = Text("{mend}; then see also: {more}", "{mend}；另请检查：{more}").format(mend=mend, more=more)
    return ConfigError(
        what,
        where=key_in_file(key, document, line),
        found=found,
        expected=expected,
        mend=mend,
    )


def _in_order(document: YamlDocument, errors: list[ErrorDetails]) -> list[tuple[KeyPath, ErrorDetails]]:
    """Return places and mistakes from the top of the file down, without mistakes that only follow from another.

    A list is "too short" when its entries are wrong, and a key is missing when it is misspelt.
    """
    deep = [e for e in errors if not any(_lies_under(other["loc"], e["loc"]) for other in errors)]
    misspelt = {e["loc"][:-1] for e in deep if e["type"] == "extra_forbidden"}
    first = [e for e in deep if not (e["type"] == "missing" and e["loc"][:-1] in misspelt)]
    placed = [(_place(document, e["loc"], e["type"] == "missing"), e) for e in first]
    late = ("missing", "model_type", "dict_type")
    placed.sort(key=lambda item: (document.line(item[0]) or 0, item[1]["type"] in late))
    followers = [(_place(document, e["loc"], True), e) for e in deep if e not in first]
    return [*placed, *followers]


def _lies_under(inner: KeyPath, outer: KeyPath) -> bool:
    return len(inner) > len(outer) and inner[: len(outer)] == outer


def _place(document: YamlDocument, loc: KeyPath, missing: bool) -> KeyPath:
    """Return the part of a pydantic location that stands in the file (not its names of types), and one missing key."""
    at: KeyPath = ()
    for part in loc[:-1] if missing else loc:
        if (*at, part) in document.lines:
            at = (*at, part)
    return (*at, loc[-1]) if missing else at or loc


def _describe(model: type[BaseModel], path: KeyPath, details: ErrorDetails) -> _Parts:
    """Return what is wrong, what was found, what was expected and the mend."""
    kind, context = details["type"], details.get("ctx", {})
    found = _shorten(details["input"])
    if kind == "missing":
        missing = str(details["loc"][-1])
        return (
            Text(f"the key {missing} is missing", f"缺少键 {missing}"),
            Text("nothing", "无"),
            f"{written_key(path)}: ...",
            Text(f"add {missing}", f"请补充 {missing}"),
        )
    if kind == "extra_forbidden":
        return _describe_unknown(model, path)
    what = Text(f"the value of {path[-1]} is not possible", f"键 {path[-1]} 的值不可用")
    correct = Text("correct the value", "请更正该值")
    if isinstance(context.get("error"), ImpossibleError):
        return context["error"].text, found, context["error"].expected, correct
    if kind == "literal_error":
        allowed = str(context.get("expected", "")).replace("'", "").replace(" or ", ", ")
        near = difflib.get_close_matches(str(details["input"]).lower(), allowed.split(", "), n=1)
        return what, found, allowed, _did_you_mean(near, correct)
    bounds = {"greater_than": ("gt", ">"), "greater_than_equal": ("ge", ">="), "less_than": ("lt", "<")}
    bounds["less_than_equal"] = ("le", "<=")
    if kind in bounds:
        name, sign = bounds[kind]
        return what, found, f"{sign} {context.get(name)}", correct
    expected = _EXPECTED.get(kind) or _EXPECTED.get(kind.split("_")[0])
    if expected is None:
        return what, found, details["msg"], correct
    return what, found, expected.format(pattern=context.get("pattern", "")), correct


def _describe_unknown(model: type[BaseModel], path: KeyPath) -> _Parts:
    owner = _model_at(model, path[:-1]) or model
    known, name = list(owner.model_fields), str(path[-1])
    near = difflib.get_close_matches(name.lower(), known, n=1) or [k for k in known if k.startswith(f"{name}_")]
    elsewhere = [".".join(p) for p in _paths(model) if p[-1] == name]
    fallback = Text("delete the key", "请删去该键")
    if not near and elsewhere:
        fallback = Text(f"{name} belongs at {elsewhere[0]}", f"{name} 应位于 {elsewhere[0]}")
    return (
        Text(f"the key {name} is unknown", f"未知的键 {name}"),
        name,
        Text(f"one of: {', '.join(known)}", f"以下之一：{', '.join(known)}"),
        _did_you_mean(near, fallback),
    )


def _did_you_mean(near: list[str], otherwise: Text) -> Text:
    return Text(f"did you mean {near[0]}?", f"是否为 {near[0]}？") if near else otherwise


def _shorten(value: Any) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _submodel(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((m for m in map(_submodel, get_args(annotation)) if m is not None), None)


def _model_at(model: type[BaseModel], path: KeyPath) -> type[BaseModel] | None:
    at: Any = model
    for part in path:
        at = _child(at, part)
    return _submodel(at)


def _child(annotation: Any, part: str | int) -> Any:
    """Return what stands under a key or an index of something of this type; None where nothing can."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        info = annotation.model_fields.get(str(part))
        return None if info is None else info.annotation
    inner = get_args(annotation)
    if get_origin(annotation) is dict:
        return inner[1]
    if get_origin(annotation) in (list, tuple):
        return inner[0] if isinstance(part, int) else None
    return next((child for child in (_child(a, part) for a in inner) if child is not None), None)


def _paths(
    model: type[BaseModel], prefix: tuple[str, ...] = (), above: tuple[type[BaseModel], ...] = ()
) -> Iterator[tuple[str, ...]]:
    """Yield the path of every key of a model; one that holds itself is entered once."""
    for name, info in model.model_fields.items():
        yield (*prefix, name)
        child = _submodel(info.annotation)
        if child is not None and child not in above:
            yield from _paths(child, (*prefix, name), (*above, child))
