"""From rows as people have them to the numbers that the model takes, as transform.json describes it. It reads no files of rows."""
import json
import math
import os
import re
import unicodedata
from datetime import date, datetime, timezone

import numpy as np

# White space as Unicode and JavaScript have it, U+FEFF included.
SPACE = "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
SPACE_CODES = np.array([ord(one) for one in SPACE], dtype=np.uint32)
SPACE_RUN = re.compile("[" + SPACE + "]+")
UNKNOWN_TOKEN = 1
FNV_BASIS = 0x811C9DC5
FNV_PRIME = np.uint32(0x01000193)
WORD_SALT = 0x3C6EF372
CHAR_SALT = 0x1B873593
TEXT_START = 0x5BD1E995
SINGLE_MOST = float(np.finfo(np.float32).max)
WORD_BEGIN = 60
WORD_END = 62


class RowError(ValueError):
    """A row that cannot be read; the sentence says which and why."""


class Transform:
    def __init__(self, folder):
        with open(os.path.join(folder, "transform.json"), encoding="utf-8") as file:
            self.plan = json.load(file)
        self.labels = self.plan["labels"]
        self.columns = [column["name"] for column in self.plan["columns"]]
        # Lower case as of the Unicode version that trained, for a Python that knows an older one.
        self.lower = {int(code): other for code, other in self.plan.get("lowercase", {}).items()}
        text = self.plan.get("text")
        if text is not None and text["kind"] == "ngrams":
            rows = np.fromfile(os.path.join(folder, text["buckets"]), dtype="<i4")
            self.row_of_bucket = np.full(2 ** text["bucketBits"], -1, dtype=np.int64)
            self.row_of_bucket[rows] = np.arange(len(rows))
            self.none = len(rows)
        elif text is not None:
            with open(os.path.join(folder, text["vocabulary"]), encoding="utf-8") as file:
                self.number_of = {token: at + 2 for at, token in enumerate(json.load(file))}

    def inputs(self, rows):
        """rows: dictionaries by column. Gives the model's inputs by name."""
        rows = [apply_steps(self.read(row), self.plan["steps"], self.plan["entities"]) for row in rows]
        text = self.plan.get("text")
        if "graph" in self.plan:
            return graph_columns(rows, self.plan["graph"])
        if text is None:
            return {"features": features(rows, self.plan["features"])}
        texts = [text_of(row, text["column"], at) for at, row in enumerate(rows)]
        if text["kind"] == "tokens":
            return {"tokens": np.array([self.tokens(one, text) for one in texts], dtype=np.int64)}
        found = [self.ngrams(one, text) for one in texts]
        longest = max(1, max(len(one) for one in found))
        filled = np.full((len(found), longest), self.none, dtype=np.int64)
        for at, one in enumerate(found):
            filled[at, : len(one)] = one
        return {"rows": filled}

    def read(self, row):
        row = dict(row)
        for column in self.plan["columns"]:
            if column["name"] in row:
                row[column["name"]] = read_cell(row[column["name"]], column, self.plan["missing"])
        return row

    def lowercase(self, text):
        lower = text.lower()
        return lower if lower.isascii() else lower.translate(self.lower)

    def tokens(self, text, plan):
        normal = unicodedata.normalize("NFC", text).strip(SPACE)
        if plan["unit"] == "char":
            tokens = [" ", *normal, " "]
        else:
            tokens = SPACE_RUN.split(self.lowercase(normal))
        numbers = [self.number_of.get(token, UNKNOWN_TOKEN) for token in tokens[: plan["length"]]]
        return numbers + [0] * (plan["length"] - len(numbers))

    def ngrams(self, text, plan):
        lower = self.lowercase(unicodedata.normalize("NFC", text))
        units = np.frombuffer(lower.encode("utf-16-le", "surrogatepass"), dtype="<u2").astype(np.uint32)
        buckets = ngram_buckets(units, plan)
        rows = self.row_of_bucket[buckets]
        rows = rows[rows >= 0]
        if plan["binary"]:
            _, first = np.unique(rows, return_index=True)
            rows = rows[np.sort(first)]
        return rows


def mix(values):
    """The finaliser of MurmurHash3, over uint32."""
    values = (values ^ (values >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    values = (values ^ (values >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return values ^ (values >> np.uint32(16))


def ngram_buckets(units, plan):
    """Buckets of a text's n-grams of characters, word by word, then of its n-grams of words."""
    space = np.isin(units, SPACE_CODES)
    edges = np.flatnonzero(np.diff(np.concatenate(([True], space, [True])).astype(np.int8)))
    starts, ends = edges[0::2], edges[1::2]
    lengths = ends - starts + 2
    begins = np.cumsum(lengths) - lengths
    total = int(lengths.sum())
    # Every word between marks, one after the other.
    marked = np.zeros(total, dtype=np.uint32)
    is_mark = np.zeros(total, dtype=bool)
    is_mark[begins] = True
    is_mark[begins + lengths - 1] = True
    marked[~is_mark] = units[~space]
    marked[begins] = WORD_BEGIN
    marked[begins + lengths - 1] = WORD_END
    left = np.repeat(begins + lengths, lengths) - np.arange(total)
    mask = np.uint32(2 ** plan["bucketBits"] - 1)
    parts = [char_buckets(marked, is_mark, left, plan, mask)]
    parts.append(word_buckets(word_hashes(marked, begins, lengths), plan, mask))
    return np.concatenate(parts)


def char_buckets(marked, is_mark, left, plan, mask):
    least, most = plan["charMin"], plan["charMax"]
    sizes = max(0, most - least + 1)
    if most == 0 or sizes == 0 or len(marked) == 0:
        return np.zeros(0, dtype=np.uint32)
    found = np.zeros((len(marked), sizes), dtype=np.uint32)
    there = np.zeros((len(marked), sizes), dtype=bool)
    hashes = np.full(len(marked), FNV_BASIS ^ CHAR_SALT, dtype=np.uint32)
    for size in range(1, min(most, len(marked)) + 1):
        count = len(marked) - size + 1
        hashes[:count] = (hashes[:count] ^ marked[size - 1 :]) * FNV_PRIME
        if size < least:
            continue
        found[:count, size - least] = mix(hashes[:count]) & mask
        there[:, size - least] = left >= size
        if size == 1:
            there[:, 0] &= ~is_mark
    return found[there]


def word_hashes(marked, begins, lengths):
    hashes = np.full(len(begins), FNV_BASIS ^ WORD_SALT, dtype=np.uint32)
    order = np.argsort(-lengths, kind="stable")
    falling = lengths[order]
    active = len(order)
    for at in range(int(falling[0]) if len(falling) else 0):
        while falling[active - 1] <= at:
            active -= 1
        some = order[:active]
        hashes[some] = (hashes[some] ^ marked[begins[some] + at]) * FNV_PRIME
    return mix(hashes)


def word_buckets(words, plan, mask):
    hashes = np.concatenate((np.array([TEXT_START], dtype=np.uint32), words))
    most = plan["wordNgrams"]
    found = np.zeros((len(hashes), most), dtype=np.uint32)
    there = np.zeros((len(hashes), most), dtype=bool)
    running = np.zeros(len(hashes), dtype=np.uint32)
    for size in range(1, min(most, len(hashes)) + 1):
        count = len(hashes) - size + 1
        running[:count] = mix(running[:count] * np.uint32(31) + hashes[size - 1 :])
        found[:count, size - 1] = running[:count] & mask
        there[:count, size - 1] = True
    # The mark of the start alone says nothing.
    there[0, 0] = False
    return found[there]


def text_of(row, column, at):
    if column not in row:
        raise RowError(f'row {at + 1} has no column "{column}"')
    value = row[column]
    if value is None:
        return ""
    if not isinstance(value, str):
        raise RowError(f'row {at + 1}, column "{column}": {value!r} is no text')
    return value


def features(rows, plan):
    width = sum(width_of(feature) for feature in plan)
    out = np.zeros((len(rows), width), dtype=np.float32)
    at = 0
    for feature in plan:
        column = feature["column"]
        for index, row in enumerate(rows):
            value = row.get(column)
            if feature["kind"] == "numeric":
                number = number_of(value, feature["fill"], index, column)
                scaled = (number - feature["offset"]) * feature["factor"]
                if abs(scaled) > SINGLE_MOST:
                    raise RowError(f'row {index + 1}, column "{column}": {value!r} is larger than single precision holds')
                out[index, at] = scaled
            elif feature["kind"] == "buckets":
                number = number_of(value, feature["fill"], index, column)
                place = next((one for one, bound in enumerate(feature["bounds"]) if number <= bound), None)
                out[index, at + (len(feature["bounds"]) if place is None else place)] = 1
            else:
                out[index, at + category_of(value, feature["values"])] = 1
        at += width_of(feature)
    return out


def graph_columns(rows, graph):
    """Columns as the graph takes them, which makes the features itself: numbers, NaN for none, and words."""
    given = {}
    if graph["numbers"]:
        numbers = [[number_of(row.get(one), math.nan, at, one) for one in graph["numbers"]] for at, row in enumerate(rows)]
        given["numbers"] = np.array(numbers, dtype=np.float64)
    if graph["categories"]:
        words = [[word_of(row.get(one["column"]), one["missing"]) for one in graph["categories"]] for row in rows]
        given["categories"] = np.array(words, dtype=object)
    return given


def word_of(value, missing):
    return missing if value is None else written(value)


def width_of(feature):
    if feature["kind"] == "numeric":
        return 1
    return len(feature["values" if feature["kind"] == "categories" else "bounds"]) + 1


NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def number_of(value, fill, index, column):
    if isinstance(value, bool):
        return 1.0 if value else 0.0
    if isinstance(value, str):
        word = value.strip()
        if word == "" or word.lower().lstrip("+-") in ("inf", "infinity", "nan"):
            return fill
        if word.lower() in ("true", "false"):
            return 1.0 if word.lower() == "true" else 0.0
        value = float(word) if NUMBER.fullmatch(word) else days_of(word)
        if value is None:
            raise RowError(f'row {index + 1}, column "{column}": {word!r} is no number')
    if value is None or not math.isfinite(value):
        return fill
    return float(value)


def days_of(word):
    """Days since 1970 of a date or a moment; None where it is neither."""
    try:
        if len(word) == 10:
            return float((date.fromisoformat(word) - date(1970, 1, 1)).days)
        moment = datetime.fromisoformat(word.replace("Z", "+00:00"))
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp() / 86400


def category_of(value, values):
    """The value's place; the last one for any other and for none."""
    if value is None:
        return len(values)
    if isinstance(value, bool):
        value = "true" if value else "false"
    if isinstance(value, str):
        return values.index(value) if value in values else len(values)
    for at, known in enumerate(values):
        if NUMBER.fullmatch(known) and float(known) == value:
            return at
    return len(values)


WHOLE = re.compile(" *[+-]?[0-9]+ *")
HALF = re.compile("[\ud800-\udfff]")


def read_cell(value, column, missing):
    """A value as its source was read; one that does not fit stays as it is."""
    if value is None or (value == "" and not (column["kind"] == "text" and missing["emptyIsText"])):
        return None
    if not isinstance(value, str):
        return value
    if value in missing["words"]:
        return None
    if column["type"] == "text":
        return HALF.sub("\ufffd", value)
    if column["type"] == "integer" and WHOLE.fullmatch(value):
        return int(value)
    if column["type"] == "boolean" and value.strip(" ").lower() in ("true", "false"):
        return value.strip(" ").lower() == "true"
    return value


def apply_steps(row, steps, entities):
    for step in steps:
        if step["step"] == "rename":
            columns = step["columns"]
            # What stood under a new name before is gone, as nothing reads it.
            kept = {name: value for name, value in row.items() if name in columns or name not in columns.values()}
            row = {columns.get(name, name): value for name, value in kept.items()}
        elif step["step"] == "concat":
            parts = [row.get(name) for name in step["columns"]]
            joined = step["separator"].join(written(part) for part in parts if part is not None and part != "")
            row = {**row, step["to"]: joined or None}
        elif step["step"] == "map-label":
            cell = row.get(step["column"])
            row = {**row, step["to"]: None if cell is None else mapped(written(cell).strip(LABEL_SPACE), step)}
        elif step["step"] == "clean":
            there = [name for name in step["columns"] if row.get(name) is not None]
            row = {**row, **{name: clean(written(row[name]), step, entities) for name in there}}
        else:
            raise RowError(f'transform.json has a step "{step["step"]}" that this program does not know')
    return row


LABEL_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
OTHER_LABEL = "other"


def mapped(raw, step):
    for value, label in step["map"]:
        if value == raw:
            return label
    if step["unknown"] in ("keep", "other"):
        return raw if step["unknown"] == "keep" else OTHER_LABEL
    if step["unknown"] == "drop":
        return None
    raise RowError(f'column "{step["column"]}": {raw!r} is no label of the map')


def written(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def clean(text, step, entities):
    if step["html"] and re.search("[&<]|#[0-9A-Za-z]+;", text):
        text = TAG.sub(" ", ENTITY.sub(lambda found: entity_of(found, entities), text))
    if step["escapes"] == "c":
        for old, new in (("\\\\", "\ue000"), ("\\n", "\n"), ("\\t", "\t"), ("\\r", "\r"), ('\\"', '"'), ("\\'", "'"), ("\ue000", "\\")):
            text = text.replace(old, new)
    elif step["escapes"]:
        text = re.sub(r"\\+", " ", re.sub(r"\\([\"'])", r"\1", text))
    if step.get("unicode"):
        text = unicodedata.normalize(step["unicode"], text)
    if step["lowercase"]:
        # One character for one, as the data set was made: no letter depends on those around it.
        text = "".join(one.lower()[0] for one in text)
    if step["whitespace"]:
        text = CLEAN_SPACE.sub(" ", text).strip(" ")
    return text or None


CLEAN_SPACE = re.compile("[\t-\r \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")
ENTITY = re.compile("&([A-Za-z][A-Za-z0-9]{1,8});|&?#(?:([0-9]{1,7})|[xX]([0-9A-Fa-f]{1,6}));")
TAG = re.compile(r"<!--[\s\S]*?-->|<(?:/|!)?[A-Za-z][^<>]*>")


def entity_of(found, entities):
    name, decimal, hexadecimal = found.groups()
    if name is not None:
        return entities.get(name, found.group())
    code = int(decimal) if decimal is not None else int(hexadecimal, 16)
    if 0x80 <= code <= 0x9F:
        return bytes([code]).decode("cp1252", "ignore") or chr(code)
    valid = 0 < code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF
    return chr(code) if valid else found.group()
