"""Writes the virtual machine's program file from a compiler's BPF object file.

The object has one text section whose only relocations are calls of system functions by name. The
loader wants a shared object: the text, a table of the functions' names, and where they are called.
"""

import struct
from dataclasses import dataclass
from typing import Final

_HEADER_BYTES: Final = 64
_PROGRAM_HEADER_BYTES: Final = 56
_SECTION_HEADER: Final = struct.Struct("<IIQQQQIIQQ")
_SYMBOL_BYTES: Final = 24
_RELOCATION_BYTES: Final = 16
_INSTRUCTION_IMMEDIATE_AT: Final = 4

_PROGBITS, _SYMTAB, _STRTAB, _DYNAMIC, _REL, _DYNSYM = 1, 2, 3, 6, 9, 11
"""Section types."""
_ALLOC_EXECUTE: Final = 6
_WRITE_ALLOC, _ALLOC = 3, 2
_SHARED_OBJECT, _MACHINE_BPF = 3, 247
_LOAD, _DYNAMIC_SEGMENT = 1, 2
_CALL_RELOCATION: Final = 10
"""R_BPF_64_32: the immediate of a call becomes the hash of the function's name."""
_GLOBAL_FUNCTION: Final = 0x10
_PAGE: Final = 4096

_DT_STRTAB, _DT_SYMTAB, _DT_STRSZ, _DT_SYMENT = 5, 6, 10, 11
_DT_REL, _DT_RELSZ, _DT_RELENT, _DT_FLAGS = 17, 18, 19, 30
_DF_TEXTREL: Final = 4


@dataclass(frozen=True, slots=True)
class _Object:
    text: bytes
    calls: tuple[tuple[int, str], ...]
    """(offset in the text, name of the system function)."""


def link(compiled: bytes) -> bytes:
    """Return the program file of a BPF object file.

    Args:
        compiled: ELF64 relocatable object with one executable section, entry point first.

    Raises:
        ValueError: If the object needs more than calls of system functions.
    """
    found = _read(compiled)
    names = sorted({name for _, name in found.calls})
    text = bytearray(found.text)
    for offset, _ in found.calls:
        struct.pack_into("<i", text, offset + _INSTRUCTION_IMMEDIATE_AT, -1)
    layout = _Layout(bytes(text), names, found.calls)
    return layout.file()


def _read(compiled: bytes) -> _Object:
    (table_at,) = struct.unpack_from("<Q", compiled, 40)
    (count,) = struct.unpack_from("<H", compiled, 60)
    sections = [
        _SECTION_HEADER.unpack_from(compiled, table_at + _SECTION_HEADER.size * index)
        for index in range(count)
    ]

    def body(section: tuple[int, ...]) -> bytes:
        return compiled[section[4] : section[4] + section[5]]

    texts = [body(one) for one in sections if one[1] == _PROGBITS and one[2] & 4 and one[5]]
    data = [one for one in sections if one[1] == _PROGBITS and one[2] == _ALLOC and one[5]]
    if len(texts) != 1 or data:
        raise ValueError(f"{len(texts)} text and {len(data)} data sections, expected 1 and 0")
    symbols = next(one for one in sections if one[1] == _SYMTAB)
    strings = body(sections[symbols[6]])

    def name(index: int) -> str:
        (at,) = struct.unpack_from("<I", body(symbols), _SYMBOL_BYTES * index)
        return strings[at : strings.index(b"\0", at)].decode()

    calls = []
    for section in (one for one in sections if one[1] == _REL and sections[one[7]][2] & 4):
        relocations = body(section)
        for at in range(0, len(relocations), _RELOCATION_BYTES):
            offset, info = struct.unpack_from("<QQ", relocations, at)
            if info & 0xFFFFFFFF != _CALL_RELOCATION:
                raise ValueError(f"relocation {info & 0xFFFFFFFF} at {offset}, expected calls only")
            calls.append((offset, name(info >> 32)))
    return _Object(texts[0], tuple(calls))


class _Layout:
    """Places the parts one after the other, each on eight bytes."""

    def __init__(self, text: bytes, names: list[str], calls: tuple[tuple[int, str], ...]) -> None:
        strings, at = b"\0", {}
        for name in names:
            at[name] = len(strings)
            strings += name.encode() + b"\0"
        symbols = bytes(_SYMBOL_BYTES)
        for name in names:
            symbols += struct.pack("<IBBHQQ", at[name], _GLOBAL_FUNCTION, 0, 0, 0, 0)
        self._text_at = _up(_HEADER_BYTES + 3 * _PROGRAM_HEADER_BYTES)
        relocations = b"".join(
            struct.pack(
                "<QQ", self._text_at + offset, (names.index(name) + 1) << 32 | _CALL_RELOCATION
            )
            for offset, name in calls
        )
        self._text = text
        self._symbols, self._strings, self._relocations = symbols, strings, relocations
        dynamic_bytes = 9 * 16
        self._dynamic_at = _up(self._text_at + len(text))
        self._symbols_at = _up(self._dynamic_at + dynamic_bytes)
        self._strings_at = _up(self._symbols_at + len(symbols))
        self._relocations_at = _up(self._strings_at + len(strings))
        self._names_at = _up(self._relocations_at + len(relocations))

    def file(self) -> bytes:
        """Return the whole file."""
        dynamic = self._dynamic()
        names, sections = self._sections(len(dynamic))
        sections_at = _up(self._names_at + len(names))
        load = self._segment(_LOAD, 5, self._text_at, len(self._text))
        tables = self._names_at - self._symbols_at
        load += self._segment(_LOAD, 4, self._symbols_at, tables)
        load += self._segment(_DYNAMIC_SEGMENT, 6, self._dynamic_at, len(dynamic))
        parts = (
            (0, self._header(sections_at) + load),
            (self._text_at, self._text),
            (self._dynamic_at, dynamic),
            (self._symbols_at, self._symbols),
            (self._strings_at, self._strings),
            (self._relocations_at, self._relocations),
            (self._names_at, names),
            (sections_at, sections),
        )
        image = bytearray(sections_at + len(sections))
        for offset, part in parts:
            image[offset : offset + len(part)] = part
        return bytes(image)

    def _dynamic(self) -> bytes:
        entries = (
            (_DT_FLAGS, _DF_TEXTREL),
            (_DT_REL, self._relocations_at),
            (_DT_RELSZ, len(self._relocations)),
            (_DT_RELENT, _RELOCATION_BYTES),
            (_DT_SYMTAB, self._symbols_at),
            (_DT_SYMENT, _SYMBOL_BYTES),
            (_DT_STRTAB, self._strings_at),
            (_DT_STRSZ, len(self._strings)),
            (0, 0),
        )
        return b"".join(struct.pack("<QQ", tag, value) for tag, value in entries)

    def _sections(self, dynamic_bytes: int) -> tuple[bytes, bytes]:
        """Return the section names and the section headers."""
        rows = (
            # name, type, flags, offset, bytes, link, entry bytes
            (".text", _PROGBITS, _ALLOC_EXECUTE, self._text_at, len(self._text), 0, 0),
            (".dynamic", _DYNAMIC, _WRITE_ALLOC, self._dynamic_at, dynamic_bytes, 4, 16),
            (".dynsym", _DYNSYM, _ALLOC, self._symbols_at, len(self._symbols), 4, _SYMBOL_BYTES),
            (".dynstr", _STRTAB, _ALLOC, self._strings_at, len(self._strings), 0, 0),
            (
                ".rel.dyn",
                _REL,
                _ALLOC,
                self._relocations_at,
                len(self._relocations),
                3,
                _RELOCATION_BYTES,
            ),
        )
        names, headers = b"\0", bytes(_SECTION_HEADER.size)
        for name, kind, flags, offset, length, linked, entry in rows:
            info = 1 if kind == _DYNSYM else 0
            headers += _SECTION_HEADER.pack(
                len(names), kind, flags, offset, offset, length, linked, info, 8, entry
            )
            names += name.encode() + b"\0"
        own = len(names)
        names += b".shstrtab\0"
        headers += _SECTION_HEADER.pack(own, _STRTAB, 0, 0, self._names_at, len(names), 0, 0, 1, 0)
        return names, headers

    def _header(self, sections_at: int) -> bytes:
        identity = b"\x7fELF" + bytes([2, 1, 1, 0]) + bytes(8)
        return identity + struct.pack(
            "<HHIQQQIHHHHHH",
            _SHARED_OBJECT,
            _MACHINE_BPF,
            1,
            self._text_at,
            _HEADER_BYTES,
            sections_at,
            0,
            _HEADER_BYTES,
            _PROGRAM_HEADER_BYTES,
            3,
            _SECTION_HEADER.size,
            7,
            6,
        )

    @staticmethod
    def _segment(kind: int, flags: int, offset: int, length: int) -> bytes:
        return struct.pack("<IIQQQQQQ", kind, flags, offset, offset, offset, length, length, _PAGE)


def _up(offset: int) -> int:
    return (offset + 7) & ~7
