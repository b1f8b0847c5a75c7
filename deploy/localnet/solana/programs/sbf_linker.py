"""A linker for ONE relocatable object of clang's `bpfel` target into a Solana program (SBPF v0 shared object).

Upstream LLD has no BPF port and Solana's fork is not packaged. A single object needs little: place the code and
the read-only data, write their addresses into the code, and name the system calls in a dynamic relocation table.
Refused with `LinkError`: writable data, several entry points, relocation types a small C program does not produce.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

IMAGE_AT = 0x1_0000_0000  # where the runtime maps the program (SBPF v0)
BPF_MACHINE = 247
R_64_64, R_64_32 = 1, 10  # the address in an lddw pair; the target of a call
SHT_PROGBITS, SHT_SYMTAB, SHT_REL = 1, 2, 9
SHF_WRITE, SHF_ALLOC, SHF_EXEC = 1, 2, 4
STT_SECTION = 3
HEADER, PROGRAM_HEADER, SECTION_HEADER, SYMBOL = 64, 56, 64, 24
PROGRAM_HEADERS = 4
SECTION_NAMES = ("", ".text", ".rodata", ".dynamic", ".dynsym", ".dynstr", ".rel.dyn", ".shstrtab")


class LinkError(ValueError):
    """The object holds something this linker does not place: the message names it."""


@dataclass(frozen=True, slots=True)
class Section:
    name: str
    kind: int
    flags: int
    body: bytes
    info: int
    align: int


@dataclass(frozen=True, slots=True)
class Symbol:
    name: str
    info: int
    section: int
    value: int


@dataclass(frozen=True, slots=True)
class Layout:
    """The image with code and constants placed, and where each section of the object went."""

    image: bytearray
    address: dict[int, int]
    text_end: int


def _align(value: int, to: int) -> int:
    return -(-value // to) * to


def _read(obj: bytes) -> tuple[list[Section], list[Symbol]]:
    if obj[:4] != b"\x7fELF" or struct.unpack_from("<H", obj, 18)[0] != BPF_MACHINE:
        raise LinkError("not an ELF object of machine 247 (BPF): compile with clang --target=bpfel")
    (table,) = struct.unpack_from("<Q", obj, 40)
    count, names = struct.unpack_from("<HH", obj, 60)
    raw = [struct.unpack_from("<IIQQQQIIQQ", obj, table + SECTION_HEADER * i) for i in range(count)]

    def text(section: int, offset: int) -> str:
        start = raw[section][4] + offset
        return obj[start : obj.index(b"\0", start)].decode()

    sections = [Section(text(names, r[0]), r[1], r[2], obj[r[4] : r[4] + r[5]], r[7], r[8]) for r in raw]
    at = next(i for i, s in enumerate(sections) if s.kind == SHT_SYMTAB)
    symbols = []
    for k in range(len(sections[at].body) // SYMBOL):
        name, info, _, section, value, _ = struct.unpack_from("<IBBHQQ", sections[at].body, SYMBOL * k)
        symbols.append(Symbol(text(raw[at][6], name), info, section, value))
    return sections, symbols


def _place(sections: list[Section]) -> Layout:
    writable = [s.name for s in sections if s.flags & SHF_WRITE and s.body]
    if writable:
        raise LinkError(f"writable data is not allowed in a program: {', '.join(writable)}")
    progbits = [(i, s) for i, s in enumerate(sections) if s.kind == SHT_PROGBITS and s.flags & SHF_ALLOC and s.body]
    code = [(i, s) for i, s in progbits if s.flags & SHF_EXEC]
    constants = [(i, s) for i, s in progbits if not s.flags & SHF_EXEC]
    address: dict[int, int] = {}
    position = HEADER + PROGRAM_HEADER * PROGRAM_HEADERS
    for i, section in code:
        address[i] = position
        position += len(section.body)
    text_end = position = _align(position, 8)
    for i, section in constants:
        address[i] = position = _align(position, max(section.align, 8))
        position += len(section.body)
    image = bytearray(_align(position, 8))
    for i, section in code + constants:
        image[address[i] : address[i] + len(section.body)] = section.body
    return Layout(image, address, text_end)


class _Calls:
    """The system calls met so far: their names, and the places in the code that call them."""

    def __init__(self) -> None:
        self.number: dict[str, int] = {}
        self.strings = bytearray(b"\0")
        self.places: list[tuple[int, int]] = []

    def add(self, name: str, place: int) -> None:
        if name not in self.number:
            self.number[name] = len(self.number) + 1
            self.strings += name.encode() + b"\0"
        self.places.append((place, (self.number[name] << 32) | R_64_32))

    def symbols(self) -> bytes:
        offsets = (self.strings.index(name.encode() + b"\0") for name in self.number)
        return bytes(SYMBOL) + b"".join(struct.pack("<IBBHQQ", o, 0x10, 0, 0, 0, 0) for o in offsets)


def _relocate(layout: Layout, kind: int, place: int, symbol: Symbol, calls: _Calls) -> None:
    image = layout.image
    if kind == R_64_64:  # lddw: both halves of the address are written for good
        low, high = struct.unpack_from("<I", image, place + 4)[0], struct.unpack_from("<i", image, place + 12)[0]
        target = IMAGE_AT + layout.address[symbol.section] + symbol.value + ((high << 32) | low)
        struct.pack_into("<I", image, place + 4, target & 0xFFFFFFFF)
        struct.pack_into("<I", image, place + 12, target >> 32)
    elif kind == R_64_32 and symbol.section == 0:  # a system call: left to the runtime, by name
        struct.pack_into("<i", image, place + 4, -1)
        image[place + 1] = 0x10
        calls.add(symbol.name, place)
    elif kind == R_64_32:  # a call inside the program: relative to the next instruction
        target = layout.address[symbol.section] + symbol.value
        if symbol.info & 15 == STT_SECTION:
            target += (struct.unpack_from("<i", image, place + 4)[0] + 1) * 8
        struct.pack_into("<i", image, place + 4, (target - place - 8) // 8)
    else:
        raise LinkError(f"relocation type {kind} at {place:#x} is not handled")


def _apply_relocations(sections: list[Section], symbols: list[Symbol], layout: Layout) -> _Calls:
    calls = _Calls()
    for section in (s for s in sections if s.kind == SHT_REL and s.info in layout.address):
        for k in range(len(section.body) // 16):
            offset, info = struct.unpack_from("<QQ", section.body, 16 * k)
            _relocate(layout, info & 0xFFFFFFFF, layout.address[section.info] + offset, symbols[info >> 32], calls)
    return calls


def _section_header(number: int, kind: int, flags: int, span: tuple[int, int], extra: tuple[int, ...]) -> bytes:
    link, info, align, entry = extra
    name = sum(len(n) + 1 for n in SECTION_NAMES[:number])
    start, end = span
    address = start if flags & SHF_ALLOC else 0
    return struct.pack("<IIQQQQIIQQ", name, kind, flags, address, start, end - start, link, info, align, entry)


def _program_header(kind: int, flags: int, span: tuple[int, int]) -> bytes:
    start, size = span[0], span[1] - span[0]
    return struct.pack("<IIQQQQQQ", kind, flags, start, start, start, size, size, 0x1000 if kind == 1 else 8)


def _finish(layout: Layout, calls: _Calls, entry: int) -> bytes:
    image, base = layout.image, HEADER + PROGRAM_HEADER * PROGRAM_HEADERS
    symbols = calls.symbols()
    strings = bytes(calls.strings) + bytes(-len(calls.strings) % 8)
    relocations = b"".join(struct.pack("<QQ", *place) for place in calls.places)
    dynamic = (len(image), len(image) + 16 * 6)
    dynsym = (dynamic[1], dynamic[1] + len(symbols))
    dynstr = (dynsym[1], dynsym[1] + len(strings))
    reldyn = (dynstr[1], dynstr[1] + len(relocations))
    tags = ((17, reldyn[0]), (18, len(relocations)), (19, 16), (6, dynsym[0]), (5, dynstr[0]), (0, 0))
    image += b"".join(struct.pack("<QQ", *tag) for tag in (tags if relocations else ((0, 0),) * 6))
    image += symbols + strings + relocations
    names = b"".join(n.encode() + b"\0" for n in SECTION_NAMES)
    image += names + bytes(-len(names) % 8)
    headers_at = len(image)
    text, rodata = (base, layout.text_end), (layout.text_end, dynamic[0])
    image += bytes(SECTION_HEADER)
    image += _section_header(1, 1, SHF_ALLOC | SHF_EXEC, text, (0, 0, 8, 0))
    image += _section_header(2, 1, SHF_ALLOC, rodata, (0, 0, 8, 0))
    image += _section_header(3, 6, SHF_ALLOC | SHF_WRITE, dynamic, (5, 0, 8, 16))
    image += _section_header(4, 11, SHF_ALLOC, dynsym, (5, 1, 8, 24))
    image += _section_header(5, 3, SHF_ALLOC, dynstr, (0, 0, 8, 0))
    image += _section_header(6, 9, SHF_ALLOC, reldyn, (4, 0, 8, 16))
    image += _section_header(7, 3, 0, (reldyn[1], reldyn[1] + len(names)), (0, 0, 1, 0))
    kind = struct.pack(
        "<HHIQQQIHHHHHH",
        *(3, BPF_MACHINE, 1, entry, HEADER, headers_at, 0, HEADER, PROGRAM_HEADER, PROGRAM_HEADERS),
        *(SECTION_HEADER, len(SECTION_NAMES), len(SECTION_NAMES) - 1),
    )
    image[:HEADER] = b"\x7fELF\x02\x01\x01" + bytes(9) + kind
    segments = _program_header(1, 5, text) + _program_header(1, 4, rodata)
    image[HEADER:base] = segments + _program_header(1, 4, (dynsym[0], reldyn[1])) + _program_header(2, 6, dynamic)
    return bytes(image)


def link(obj: bytes, entry: str = "entrypoint") -> bytes:
    """The program as the runtime loads it, from the bytes of one object file. Raises `LinkError`."""
    sections, symbols = _read(obj)
    layout = _place(sections)
    calls = _apply_relocations(sections, symbols, layout)
    start = [s for s in symbols if s.name == entry and s.section in layout.address]
    if len(start) != 1:
        raise LinkError(f"expected one symbol {entry!r} in the code, found {len(start)}")
    return _finish(layout, calls, layout.address[start[0].section] + start[0].value)
