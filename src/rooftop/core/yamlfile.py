"""YAML as people write it: loaded safely, with line numbers, and with an explanation of what went wrong."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from rooftop.core.errors import ConfigError
from rooftop.core.lang import Text

KeyPath = tuple[str | int, ...]

_LONGEST_BYTES = 20_000_000  # a map of every address of a large city has a few megabytes
_MOST_VALUES = 1_000_000
_UNREADABLE = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
)  # what PyYAML's constructors let through


@dataclass(frozen=True)
class YamlDocument:
    """A YAML file.

    Parameters
    ----------
    data : Any
        Mappings, lists and scalars.
    lines : dict of tuple to int
        Line (from 1) of each key or list item, by its path: ``("inputs", "footprints", "path")``.
    path : Path
    """

    data: Any
    lines: dict[KeyPath, int]
    path: Path

    def line(self, path: KeyPath) -> int | None:
        """Return the line of `path`, or of its nearest parent."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return None


_BOOL, _INT = "tag:yaml.org,2002:bool", "tag:yaml.org,2002:int"


class _Loader(yaml.SafeLoader):
    """Safe loader: yes/no/on/off stay words, codes with leading zeros and 12:30 stay text, duplicate keys fail."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in (_BOOL, _INT)]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(_BOOL, re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))
_Loader.add_implicit_resolver(_INT, re.compile(r"^[-+]?(?:0|[1-9][0-9]*)$"), list("-+0123456789"))


class _QuickLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """The same values by libyaml, ten times as fast, without a word about where something is wrong."""

    yaml_implicit_resolvers = _Loader.yaml_implicit_resolvers


def load_trusted_yaml(path: Path) -> Any:
    """Load a YAML file of this package: the values of `load_yaml`, without lines, explanations and limits."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_QuickLoader)


def load_yaml(path: Path) -> YamlDocument:
    """Load a YAML file.

    Raises
    ------
    ConfigError
        Missing file, or something YAML does not allow, with line and mend.
    """
    text = _read_text(path)
    scan = _Scan(path, text)
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            return YamlDocument(None, {}, path)
        scan.walk(loader, node, ())
        data = loader.construct_document(node)
    except yaml.YAMLError as error:
        raise _explain(path, text, error) from error
    except _UNREADABLE as error:
        raise _problem(path, None, str(error)[:120], Text("correct the file", "请更正该文件")) from error
    except RecursionError as error:
        raise _too_deep(path) from error
    return YamlDocument(data, scan.lines, path)


# --- reading ---------------------------------------------------------------------------------------------------------


def _read_text(path: Path) -> str:
    if not path.is_file():
        siblings = sorted(p.name for p in path.parent.glob("*.y*ml")) if path.parent.is_dir() else []
        near = difflib.get_close_matches(path.name, siblings, n=1)
        raise ConfigError(
            Text("the configuration file does not exist", "配置文件不存在"),
            where=str(path),
            expected=Text("a YAML file", "YAML 文件"),
            mend=Text(f"did you mean {near[0]}?", f"是否为 {near[0]}？")
            if near
            else Text("write one with: rooftop init PACK -o FILE", "可用 rooftop init PACK -o FILE 生成"),
        )
    data = _bytes(path)
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        try:
            return data.decode("utf-16")
        except UnicodeDecodeError as error:
            raise ConfigError(
                Text("the YAML file is damaged", "YAML 文件已损坏"),
                where=str(path),
                found=Text("UTF-16 with broken characters", "含损坏字符的UTF-16文本"),
                expected="UTF-8",
                mend=Text("save it again as UTF-8 (Notepad: Save as)", "请另存为UTF-8编码（记事本：另存为）"),
            ) from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        try:
            data.decode("gb18030")
        except UnicodeDecodeError:
            encoding = Text("neither UTF-8 nor GBK", "既非UTF-8也非GBK")
        else:
            encoding = Text("GBK (ANSI)", "GBK（ANSI）")
        raise ConfigError(
            Text("the YAML file is not in UTF-8", "YAML 文件不是UTF-8编码"),
            where=_place(path, line),
            found=encoding,
            expected="UTF-8",
            mend=Text("save it again as UTF-8 (Notepad: Save as)", "请另存为UTF-8编码（记事本：另存为）"),
        ) from error


def _bytes(path: Path) -> bytes:
    """Return the bytes of a file that is no larger than a configuration can be."""
    size = path.stat().st_size
    if size <= _LONGEST_BYTES:
        return path.read_bytes()
    raise ConfigError(
        Text("the file is too large for a configuration", "文件过大，不是配置文件"),
        where=str(path),
        found=f"{size / 1e6:,.0f} MB",
        expected=f"<= {_LONGEST_BYTES / 1e6:,.0f} MB",
        mend=Text("name the YAML file, not a data file", "请指定 YAML 配置文件，而非数据文件"),
    )


def _place(path: Path, line: int | None) -> Text | str:
    return Text(f"{path}, line {line}", f"{path} 第 {line} 行") if line else str(path)


class _Scan:
    """Walk over a node tree: the line of every key, and what YAML accepts but nobody means."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.text = text
        self.lines: dict[KeyPath, int] = {}
        self._sizes: dict[int, int | None] = {}  # values in a node that was visited; None while it is

    def walk(self, loader: _Loader, node: yaml.Node, at: KeyPath) -> int:
        """Visit a node once (aliases repeat it); return how many values it stands for, aliases written out."""
        if id(node) in self._sizes:
            size = self._sizes[id(node)]
            if size is None:
                raise self._circle(node)
            return size
        self._sizes[id(node)] = None
        size = 1
        if isinstance(node, yaml.ScalarNode):
            _check_scalar(node, self.path, self.text)
            self._construct(loader, node)
        elif isinstance(node, yaml.SequenceNode):
            for i, item in enumerate(node.value):
                self.lines[(*at, i)] = item.start_mark.line + 1
                size += self.walk(loader, item, (*at, i))
        elif isinstance(node, yaml.MappingNode):
            for key_node, value in node.value:
                key = self._key(loader, key_node, at)
                _check_key(key_node, value, self.path, self.text)
                self.lines[(*at, key)] = key_node.start_mark.line + 1
                size += self.walk(loader, value, (*at, key))
        if size > _MOST_VALUES:
            raise self._too_many(node)
        self._sizes[id(node)] = size
        return size

    def _construct(self, loader: _Loader, node: yaml.Node) -> Any:
        """Return the value of a node; one that looks like a date or a number and is none is named with its line."""
        try:
            return loader.construct_object(node, deep=True)
        except _UNREADABLE as error:
            raw = self.text[node.start_mark.index : node.end_mark.index]
            mend = Text("put it in quotes if it is text", "若为文本，请加引号")
            what = Text("this value is no possible date or number", "该值不是可能的日期或数值")
            raise _problem(self.path, node.start_mark.line + 1, _shorten(raw), mend, what) from error

    def _circle(self, node: yaml.Node) -> ConfigError:
        mend = Text("write the values out", "请直接写出各值")
        what = Text("an alias (*) stands inside of what it repeats", "别名（*）出现在其自身所指内容之中")
        return _problem(self.path, node.start_mark.line + 1, _line(self.text, node.start_mark.line).strip(), mend, what)

    def _too_many(self, node: yaml.Node) -> ConfigError:
        found = Text(f"more than {_MOST_VALUES:,}, aliases (*) written out", f"展开别名（*）后超过 {_MOST_VALUES:,} 个")
        mend = Text("write the values out", "请直接写出各值")
        what = Text("the file stands for too many values", "文件所含的值过多")
        return _problem(self.path, node.start_mark.line + 1, found, mend, what)

    def _key(self, loader: _Loader, node: yaml.Node, at: KeyPath) -> str | int:
        if not isinstance(node, yaml.ScalarNode):
            raw = self.text[node.start_mark.index : node.end_mark.index]
            mend = Text("write a word before the colon", "冒号前请写键名")
            what = Text("a key is a list or a block", "键不能是列表或层级")
            raise _problem(self.path, node.start_mark.line + 1, _shorten(raw), mend, what)
        key = self._construct(loader, node)
        key = key if isinstance(key, str | int) else str(key)
        if (*at, key) not in self.lines:
            return key
        first = self.lines[(*at, key)]
        raise ConfigError(
            Text(f"the key {key} stands twice", f"键 {key} 重复出现"),
            where=_place(self.path, node.start_mark.line + 1),
            found=Text(f"also in line {first}", f"另见第 {first} 行"),
            expected=Text("each key once", "每个键只出现一次"),
            mend=Text("delete one of them", "请删去其中一个"),
        )


# --- explanations ----------------------------------------------------------------------------------------------------

_TAB = Text("a tab", "制表符（Tab）")
_DOUBLE = (Text("full-width quotes “ ”", "全角引号“ ”"), Text('use " or no quotes', '请改为半角引号 " 或不加引号'))
_SINGLE = (Text("full-width quotes ‘ ’", "全角引号‘ ’"), Text("use ' or no quotes", "请改为半角引号 ' 或不加引号"))
_SPACE = Text("replace it by ordinary spaces", "请改为普通空格")
_FULL_WIDTH = {
    "：": (Text("a full-width colon ：", "全角冒号“：”"), Text("type it as : and a space", "请改为半角冒号 : 加空格")),
    "\u3000": (Text("a full-width space", "全角空格"), _SPACE),
    "\u00a0": (Text("a no-break space", "不间断空格"), _SPACE),
    "“": _DOUBLE,
    "”": _DOUBLE,
    "‘": _SINGLE,
    "’": _SINGLE,
    "，": (Text("a full-width comma ，", "全角逗号“，”"), Text("type it as ,", "请改为半角逗号 ,")),
}
_NO_SPACE = re.compile(r"^\s*(?:-\s+)?[\w.]+:[^\s:/\\]")
_BACKSLASH = re.compile(r'"[^"]*\\[^"]*"')


def _shorten(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."


def _too_deep(path: Path) -> ConfigError:
    mend = Text("check the brackets: some are not closed", "请检查括号是否配对")
    return _problem(path, None, Text("lists or blocks nested too deep", "列表或层级嵌套过深"), mend)


def _problem(path: Path, line: int | None, found: Text | str, mend: Text, what: Text | None = None) -> ConfigError:
    return ConfigError(
        what or Text("this is not valid YAML", "YAML 语法有误"), where=_place(path, line), found=found, mend=mend
    )


def _backslash(path: Path, line: int, raw: str) -> ConfigError:
    return _problem(
        path,
        line,
        raw.strip(),
        Text(
            r"in double quotes \ starts an escape: write / instead, or use single quotes 'C:\new'",
            r"双引号中 \ 表示转义：请改用 /，或使用单引号 'C:\new'",
        ),
        Text("a backslash in double quotes", "双引号中的反斜杠"),
    )


def _no_space(path: Path, line: int, found: str) -> ConfigError:
    mend = Text("put a space after the colon", "请在冒号后加一个空格")
    return _problem(path, line, found, mend, Text("no space after the colon", "冒号后缺少空格"))


def _check_key(key: yaml.ScalarNode, value: yaml.Node, path: Path, text: str) -> None:
    """Refuse ``id：x`` inside braces: YAML reads it as a key without a value."""
    empty = isinstance(value, yaml.ScalarNode) and value.value == "" and value.style is None
    if key.style is None and empty and ("：" in key.value or _NO_SPACE.match(key.value)):
        raise _explain_line(path, text, key.start_mark.line) or _no_space(path, key.start_mark.line + 1, key.value)


def _check_scalar(node: yaml.ScalarNode, path: Path, text: str) -> None:
    """Refuse values that YAML accepts but nobody means."""
    line = node.start_mark.line + 1
    if node.style == '"':
        raw = text[node.start_mark.index : node.end_mark.index]
        if "\\" in raw and any(ord(c) < 32 or 0x7F <= ord(c) < 0xA1 for c in node.value):
            raise _backslash(path, line, raw)
    if node.style is None and node.value:
        for character in (node.value[0], node.value[-1]):
            if character in _FULL_WIDTH and character not in "：，":
                found, mend = _FULL_WIDTH[character]
                raise _problem(path, line, found, mend, Text("a value with full-width marks", "值中有全角符号"))


def _explain(path: Path, text: str, error: yaml.YAMLError) -> ConfigError:
    """Turn a YAML error into the mistake a person made."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:
        return _problem(path, 1, str(error), Text("remove the character", "请删去该字符"))
    context = getattr(error, "context_mark", None)
    candidates = [mark.line, mark.line - 1, *([context.line] if context is not None else [])]
    for line in dict.fromkeys(candidates):
        mistake = _explain_line(path, text, line)
        if mistake is not None:
            return mistake
    detail = getattr(error, "problem", None) or str(error)
    return _problem(
        path,
        mark.line + 1,
        f"{_line(text, mark.line).strip()} ({detail})",
        Text("check indentation, quotes and brackets around this line", "请检查该行附近的缩进、引号和括号"),
    )


def _line(text: str, number: int) -> str:
    lines = text.splitlines()
    return lines[number] if 0 <= number < len(lines) else ""


def _explain_line(path: Path, text: str, number: int) -> ConfigError | None:
    """Return the usual mistake found in one line, or None."""
    line = _line(text, number)
    code = line.split(" #")[0]
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return _problem(path, number + 1, _TAB, Text("indent with spaces, two per level", "请用空格缩进，每级两个"))
    bare = re.sub(r"\"[^\"]*\"|'[^']*'", "", code)
    for character, (found, mend) in _FULL_WIDTH.items():
        if character in bare:
            quoted = found + Text(" in: ", "，见：") + line.strip()
            return _problem(path, number + 1, quoted, mend)
    if _BACKSLASH.search(code):
        return _backslash(path, number + 1, line)
    if _NO_SPACE.match(code):
        return _no_space(path, number + 1, line.strip())
    return None


def require_mapping(document: YamlDocument) -> dict[str, Any]:
    """Return the data as a mapping.

    Raises
    ------
    ConfigError
        The file is empty, or one piece of text because its colons are not YAML's.
    """
    if isinstance(document.data, dict):
        return document.data
    text = document.path.read_bytes().decode("utf-8-sig", errors="replace")
    if document.data is None:
        what, mend = Text("the file is empty", "文件为空"), Text("write keys and values", "请写入配置项")
        raise _problem(document.path, 1, Text("nothing", "无"), mend, what)
    for number in range(len(text.splitlines())):
        mistake = _explain_line(document.path, text, number)
        if mistake is not None:
            raise mistake
    raise _problem(
        document.path, 1, type(document.data).__name__, Text("write key: value lines", "请写成“键: 值”的形式")
    )
