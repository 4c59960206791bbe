"""CSV and its relatives: encoding, separator, quotes and decimal mark detected, and said.

Every cell is read as text by pyarrow, which refuses lines of another length; what the text
means is decided column by column in `lib.data.cells`.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from lib.data.catalog import Entry
from lib.data.tables import WHOLE, RawTable, Repair, listing, shorten, unique_headers
from lib.errors import InputError

SEPARATORS = (",", ";", "\t", "|")
_NAMES = {",": "comma", ";": "semicolon", "\t": "tabulator", "|": "bar"}
_SAMPLE_BYTES = 256_000
_SAMPLE_RECORDS = 200
_BOMS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)


@dataclass(frozen=True)
class Layout:
    """How a text is cut into cells.

    Attributes
    ----------
    separator, quote : str
        Single characters.
    records : list of list of str
        The first records, the header among them.
    """

    separator: str
    quote: str
    records: list[list[str]]


def read_delimited(path: Path, content: bytes, entry: Entry) -> RawTable:
    """Read a delimited text whose every cell stays text.

    Parameters
    ----------
    path : Path
        For its ending and for messages.
    content : bytes
        Of the file.
    entry : Entry
        May give separator, encoding and decimal mark.

    Returns
    -------
    RawTable
        Columns of str; empty cells are missing.

    Raises
    ------
    InputError
        When the text is empty, has a header only, or lines of different length.
    """
    repairs: list[Repair] = []
    data = _as_utf8(path, content, entry.encoding, repairs)
    if not data or data.isspace():
        raise InputError(f"{path.name} is empty: expected a header and at least one row.")
    sample = _sample(data)
    layout = _layout(sample, entry.separator, path)
    expected = "\t" if path.suffix.lower() in {".tsv", ".tab"} else ","
    if layout.separator != expected and entry.separator is None and len(layout.records[0]) > 1:
        detail = f"cells separated by a {_NAMES[layout.separator]}"
        repairs.append(Repair(WHOLE, "separator", 1, detail))
    if layout.quote != '"':
        repairs.append(Repair(WHOLE, "quotes", 1, "text in single quotes"))
    headers, body = _header_and_body(data, layout, repairs)
    if not body or body.isspace():
        raise InputError(
            f"{path.name} has a header ({listing(headers)}) but no rows: "
            "expected at least one row of data."
        )
    names, renamed = unique_headers(headers)
    frame = _parse(path, data, body, names, layout)
    decimal = entry.decimal or _decimal(layout)
    if decimal == "," and entry.decimal is None:
        repairs.append(Repair(WHOLE, "decimal comma", 1, "numbers written as 1,5"))
    return RawTable(frame, [*repairs, *renamed], decimal=decimal, plain_text=True)


def _as_utf8(path: Path, content: bytes, encoding: str | None, repairs: list[Repair]) -> bytes:
    """Return the text as UTF-8 without byte-order mark, with lines ended by a line feed."""
    if content.startswith(b"\x1f\x8b"):
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError) as error:
            raise InputError(
                f"{path.name} is a damaged gzip file ({error}): get it anew."
            ) from error
        repairs.append(Repair(WHOLE, "compression", 1, "gzip"))
    for mark, name in _BOMS if encoding is None else ():
        if content.startswith(mark):
            encoding = name
            break
    if encoding in {None, "utf-8-sig"}:
        data = content.removeprefix(_BOMS[0][0])
        encoding = "utf-8"
    else:
        data = content
    text = _decoded(path, data, str(encoding), repairs)
    data = data if text is None else text.encode()
    if b"\x00" in data[:_SAMPLE_BYTES]:
        raise InputError(
            f"{path.name} holds binary data, not text: expected CSV, TSV, Parquet, Feather, "
            "JSON Lines or Excel; export it to one of these."
        )
    if b"\r" in data and b"\n" not in data:
        data = data.replace(b"\r", b"\n")
        repairs.append(Repair(WHOLE, "line ends", 1, "lines ended by a carriage return only"))
    return data


def _decoded(path: Path, data: bytes, encoding: str, repairs: list[Repair]) -> str | None:
    """Return the decoded text, or None when the bytes are UTF-8 already."""
    if encoding == "utf-8" and data.isascii():  # ten times as fast as decoding
        return None
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding != "utf-8":
            raise InputError(
                f"{path.name} is not {encoding} text (byte {error.start:,}): "
                'give its encoding in the catalogue, such as encoding = "latin-1".'
            ) from error
        where = error.start
    except LookupError as error:
        known = "utf-8, latin-1, cp1252 or utf-16"
        raise InputError(f"There is no encoding '{encoding}': try {known}.") from error
    else:
        if encoding == "utf-8":
            return None
        repairs.append(Repair(WHOLE, "encoding", 1, f"read as {encoding}"))
        return text
    # Windows-1252 is latin-1 with letters where latin-1 has control codes
    name = "latin-1" if re.search(rb"[\x81\x8d\x8f\x90\x9d]", data) else "windows-1252"
    detail = f"not UTF-8 (first at byte {where:,}); read as {name}"
    repairs.append(Repair(WHOLE, "encoding", 1, detail))
    return data.decode("latin-1" if name == "latin-1" else "cp1252")


def _sample(data: bytes) -> str:
    """Return the beginning of the text, up to a line's end."""
    head = data[:_SAMPLE_BYTES]
    if len(data) > len(head) and b"\n" in head:
        head = head[: head.rindex(b"\n") + 1]
    return head.decode("utf-8", errors="ignore")


def _records(sample: str, separator: str, quote: str) -> list[list[str]]:
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=separator, quotechar=quote)
    records: list[list[str]] = []
    try:
        for record in reader:
            if record:
                records.append(record)
            if len(records) == _SAMPLE_RECORDS:
                break
    except csv.Error:  # a cell beyond the reader's limit; what was read decides
        pass
    return records


def _layout(sample: str, separator: str | None, path: Path) -> Layout:
    """Return separator and quotes that cut the sample into most cells of equal number."""
    quote = '"'
    single = len(re.findall(r"(?:^|[,;\t|])'[^'\n]*'(?=[,;\t|\r\n]|$)", sample, re.MULTILINE))
    if single > 2 * sample.count("\n") / 3 and sample.count('"') < single:
        quote = "'"
    candidates = (separator,) if separator else SEPARATORS
    layouts = [Layout(mark, quote, _records(sample, mark, quote)) for mark in candidates]
    layouts = [layout for layout in layouts if layout.records]
    if not layouts:
        raise InputError(f"{path.name} has no readable line: expected a header and rows.")
    return max(layouts, key=_regularity)


def _regularity(layout: Layout) -> tuple[float, int]:
    counts = Counter(len(record) for record in layout.records)
    width, n_lines = counts.most_common(1)[0]
    share = n_lines / len(layout.records)
    return (share if width > 1 else 0.0, width)


def _header_and_body(data: bytes, layout: Layout, repairs: list[Repair]) -> tuple[list[str], bytes]:
    """Return the headers and the bytes after them; mend a missing header and trailing commas."""
    first, *others = layout.records
    widths = {len(record) for record in others}
    headers = first
    body = _after_header(data, layout)
    if _is_data(first, others):
        headers = [f"column_{i + 1}" for i in range(len(first))]
        body = data
        detail = f"the first line holds values ({listing(first, 3)}): columns were numbered"
        repairs.append(Repair(WHOLE, "no header", len(first), detail))
    if widths == {len(headers) + 1} and all(not record[-1].strip() for record in others):
        headers = [*headers, ""]
        detail = f"every row ends with a {_NAMES.get(layout.separator, 'separator')}"
        repairs.append(Repair(WHOLE, "trailing separator", len(others), detail))
    elif others and widths == {len(headers) + 1} and headers is first:
        headers = ["row_name", *headers]  # as R writes tables
        detail = "rows have one cell more than the header: the first holds the row's name"
        repairs.append(Repair(WHOLE, "row names", 1, detail))
    return headers, body


def _after_header(data: bytes, layout: Layout) -> bytes:
    """Return what follows the first record, which may span lines inside quotes."""
    reader = csv.reader(
        io.StringIO(_sample(data), newline=""), delimiter=layout.separator, quotechar=layout.quote
    )
    for record in reader:
        if record:
            break
    position = 0
    for _ in range(reader.line_num):
        end = data.find(b"\n", position)
        if end < 0:
            return b""
        position = end + 1
    return data[position:]


def _is_data(first: list[str], others: list[list[str]]) -> bool:
    """Whether the first line is a row: numbers that are no years, above numbers."""
    cells = [cell.strip() for cell in first]
    numbers = [i for i, cell in enumerate(cells) if _is_number(cell)]
    if not others or len(numbers) * 2 < len(cells) or not numbers:
        return False
    looks_named = all(re.fullmatch(r"(19|20)\d\d|\d{1,2}", cells[i]) for i in numbers)
    distinct = len({cells[i] for i in numbers}) == len(numbers)
    if looks_named and distinct:
        return False
    below = [record for record in others[:20] if len(record) == len(cells)]
    return all(_is_number(record[i].strip()) for record in below for i in numbers if record[i])


def _is_number(cell: str) -> bool:
    return bool(re.fullmatch(r"[+-]?(\d+[.,]?\d*|[.,]\d+)([eE][+-]?\d+)?", cell))


def _decimal(layout: Layout) -> str | None:
    """Return "," when cells such as 1,5 are common, unless the comma separates cells."""
    cells = [cell.strip() for record in layout.records[1:] for cell in record]
    comma = [cell for cell in cells if re.fullmatch(r"[+-]?[\d.]*\d,\d+", cell)]
    thousands = [cell for cell in comma if re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+", cell)]
    point = sum(bool(re.fullmatch(r"[+-]?\d*\.\d+", cell)) for cell in cells)
    if layout.separator == "," or len(comma) == len(thousands) or point > len(comma):
        return None
    return ","


def _parse(path: Path, data: bytes, body: bytes, names: list[str], layout: Layout) -> pl.DataFrame:
    import pyarrow as pa  # noqa: PLC0415 - half a second, only for who reads files
    from pyarrow import csv as arrow_csv  # noqa: PLC0415

    uneven: list[Any] = []

    def note(row: Any) -> str:
        uneven.append(row)
        return "skip"

    try:
        table = arrow_csv.read_csv(
            io.BytesIO(body),
            read_options=arrow_csv.ReadOptions(column_names=names, block_size=1 << 24),
            parse_options=arrow_csv.ParseOptions(
                delimiter=layout.separator,
                quote_char=layout.quote,
                newlines_in_values=layout.quote.encode() in body,
                invalid_row_handler=note,
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        detail = shorten(str(error).splitlines()[0], 120)
        raise InputError(f"{path.name} cannot be cut into cells: {detail}.") from error
    if uneven:
        raise InputError(_uneven(path, data, uneven, len(names)))
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    return frame


def _uneven(path: Path, data: bytes, rows: list[Any], n_columns: int) -> str:
    """Return the sentence about lines that have more or fewer cells than the header."""
    row = rows[0]
    text = row.text if isinstance(row.text, str) else ""
    line = data[: max(data.find(text.encode()), 0)].count(b"\n") + 1
    cells = "cell" if row.actual_columns == 1 else "cells"
    more = f" (and {len(rows) - 1:,} more lines)" if len(rows) > 1 else ""
    return (
        f"Line {line:,} of {path.name} has {row.actual_columns} {cells} where the header has "
        f"{n_columns}{more}: '{shorten(text, 60)}'. Quote text that contains the separator, "
        "complete a line that was cut off, or give the separator in the catalogue."
    )
