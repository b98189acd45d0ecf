r"""The models' regular expressions, which are Java's, as Python's.

Java's `\w \d \s` are ASCII; the whole value must match. Three things are rewritten: a hyphen after a class inside
brackets, `\p{ASCII}`, and `\p{L}\p{Z}\p{N}` inside brackets (Python has no categories: `\w` in its Unicode sense is
letters, numbers and the underscore, which every such pattern allows too). What is left is not enforced: `convert`
answers None, and a test lists those patterns of our services.
"""

import re
import warnings
from functools import cache
from typing import Final

_CLASS_HYPHEN: Final = re.compile(r"(\\[wdsWDS])-(?!\])")
_SPACES: Final = r" \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_LETTERS_SPACES_NUMBERS: Final = re.compile(r"(?=(?:[^\[\]]|\\.)*_)(?:\\p\{[LZN]\}){3}")


@cache
def convert(pattern: str) -> re.Pattern[str] | None:
    """The compiled pattern, or None for what Python cannot say."""
    flags = re.RegexFlag.ASCII
    text = _CLASS_HYPHEN.sub(r"\1\\-", pattern)
    text = text.replace(r"[\p{ASCII}]", r"[\x00-\x7f]").replace(r"\p{ASCII}", r"[\x00-\x7f]")
    if _LETTERS_SPACES_NUMBERS.search(text):
        text = _LETTERS_SPACES_NUMBERS.sub(lambda _: rf"\w{_SPACES}", text)
        flags = re.RegexFlag.UNICODE
    if r"\p" in text or "[[" in text or "&&" in text:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", FutureWarning)  # a set that Python may come to read otherwise
            return re.compile(text, flags)
    except (re.error, FutureWarning):
        return None
